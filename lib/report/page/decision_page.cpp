#include "report/page/decision_page.hpp"

#include "journal/decisions.hpp"
#include "report/page/conflict_table.hpp"
#include "report/page/frame.hpp"
#include "report/page/html.hpp"

#include <fmt/format.h>

namespace abgleich::report {

namespace {

// Everything works without this script, too: then the form leads to the page's own address, with
// the choices in it. Nothing is sent anywhere.
constexpr HtmlVerbatim kSave = R"(
(function () {
  'use strict';
  var form = document.getElementById('decisions');
  var button = document.getElementById('save');
  var told = document.getElementById('decided');
  function chosen() {
    return Array.prototype.filter.call(
      form.querySelectorAll('input[type=radio]:checked'),
      function (box) { return box.value !== 'open'; });
  }
  function tell() {
    told.textContent = told.getAttribute('data-said').replace('{}', String(chosen().length));
  }
  function save() {
    var lines = [form.elements.namedItem('format').value,
                 'pairing ' + form.elements.namedItem('pairing').value];
    chosen().forEach(function (box) { lines.push(box.name + ' ' + box.value); });
    var link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([lines.join('\n') + '\n'], { type: 'text/plain' }));
    link.download = form.getAttribute('data-file');
    link.click();
  }
  document.getElementById('unscripted').hidden = true;
  button.textContent = button.getAttribute('data-said');
  form.addEventListener('change', tell);
  form.addEventListener('submit', function (event) {
    event.preventDefault();
    save();
  });
  tell();
}());
)";

struct Choice {
  std::string_view value;
  Word says;
};

std::vector<Choice> choices_of(const ShownConflict& conflict) {
  std::vector<Choice> choices;
  if (conflict.primary == ShownConflict::Primary::can_be_taken) {
    choices.push_back({journal::name_of(journal::Side::primary),
                       !conflict.primary_has_row     ? Word::take_primary_delete
                       : !conflict.secondary_has_row ? Word::take_primary_insert
                                                     : Word::take_primary});
  }
  choices.push_back({journal::name_of(journal::Side::secondary),
                     conflict.secondary_has_row ? Word::take_secondary
                     : conflict.primary == ShownConflict::Primary::refused
                         ? Word::take_secondary_never
                         : Word::take_secondary_gone});
  choices.push_back({journal::kLeftOpen, Word::leave_open});
  return choices;
}

void write_choice(Html& html, Language language, const std::string& id, const Choice& choice) {
  const auto label = html.open("label");
  const std::string value(choice.value);
  if (choice.value == journal::kLeftOpen) {
    html.empty("input",
               {{"type", "radio"}, {"name", id}, {"value", value}, {"checked", "checked"}});
  } else {
    html.empty("input", {{"type", "radio"}, {"name", id}, {"value", value}});
  }
  html.text(" ");
  html.text(word(language, choice.says));
}

void write_question(Html& html, Language language, const ShownConflict& conflict) {
  const auto field = html.open("fieldset");
  {
    const auto legend = html.open("legend");
    write_conflict_name(html, language, conflict);
  }
  write_conflict(html, language, conflict);
  if (conflict.primary != ShownConflict::Primary::can_be_taken) {
    html.leaf("p", word(language, conflict.primary == ShownConflict::Primary::refused
                                      ? Word::primary_impossible
                                      : Word::primary_later));
  }
  for (const auto& choice : choices_of(conflict)) {
    write_choice(html, language, conflict.id, choice);
  }
}

void write_hidden(Html& html, std::string_view name, std::string_view value) {
  html.empty("input",
             {{"type", "hidden"}, {"name", std::string(name)}, {"value", std::string(value)}});
}

void write_form(Html& html, Language language, const DecisionSheet& sheet) {
  if (sheet.more_conflicts > 0) {
    html.leaf("p", phrase(language, Word::first_conflicts, sheet.conflicts.size(),
                          sheet.conflicts.size() + static_cast<std::size_t>(sheet.more_conflicts)));
  }
  html.leaf("p", word(language, Word::how_to_decide));
  html.leaf("p", word(language, Word::without_script), {{"id", "unscripted"}, {"class", "note"}});
  html.leaf("p", word(language, Word::what_then));
  const auto form = html.open("form", {{"id", "decisions"},
                                       {"method", "get"},
                                       {"action", ""},
                                       {"autocomplete", "off"},
                                       {"data-file", "decisions-" + sheet.mark + ".txt"}});
  write_hidden(html, journal::kFormatField, journal::kDecisionsFormat);
  write_hidden(html, journal::kPairingField, sheet.mark);
  for (const auto& conflict : sheet.conflicts) {
    write_question(html, language, conflict);
  }
  html.leaf("p", "",
            {{"id", "decided"},
             {"role", "status"},
             {"data-said", phrase(language, Word::decided_count, "{}", sheet.conflicts.size())}});
  html.leaf("button", word(language, Word::to_address),
            {{"type", "submit"},
             {"id", "save"},
             {"data-said", std::string(word(language, Word::save_file))}});
}

}  // namespace

std::string decision_page(const DecisionSheet& sheet, Language language) {
  PageHead head{.language = language,
                .title = phrase(language, Word::decide_title, sheet.pairing),
                .made = sheet.made,
                .script = std::nullopt};
  if (!sheet.conflicts.empty()) {
    head.script = kSave;
  }
  return page_of(head, [&](Html& html) {
    if (sheet.rare_conflicts > 0) {
      html.leaf("p", phrase(language, Word::rare_conflicts, sheet.rare_conflicts));
    }
    if (sheet.older_conflicts > 0) {
      html.leaf("p", phrase(language, Word::older_conflicts, sheet.older_conflicts));
    }
    if (!sheet.conflicts.empty()) {
      write_form(html, language, sheet);
    } else if (sheet.rare_conflicts + sheet.older_conflicts == 0) {
      html.leaf("p", word(language, Word::nothing_to_decide));
    }
  });
}

}  // namespace abgleich::report
