#include "sync/verify/books_alone.hpp"

#include "journal/audit.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/books_key.hpp"
#include "sync/verify/base_integrity.hpp"

#include <algorithm>
#include <iterator>

namespace abgleich::sync {

BooksAlone verify_books(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring) {
  BooksAlone found;
  auto& books = target.books();
  const auto last =
      books.exist() ? books.head(db::Books::Lock::none) : std::optional<db::HeadRow>{};
  found.head =
      open_books(pairing, target, keyring_of(last, keyring),
                 {.forged = db::Books::Forged::taken, .witness = Opening::Witness::not_asked});
  if (!found.head) {
    return found;
  }
  auto findings = journal::audit(books, *found.head);
  found.damage = std::move(findings.damage);
  if (findings.head_forged || findings.tables_forged) {
    return found;  // what the bookkeeping says of the bases is not to be believed
  }
  auto bases = check_bases(target, known_tables(target),
                           findings.seals_forged ? Seals::somebody_elses : Seals::ours);
  std::ranges::move(bases.damage, std::back_inserter(found.damage));
  return found;
}

}  // namespace abgleich::sync
