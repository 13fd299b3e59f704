// Where something that the contract names (a table, a column) went between two catalogues. Says
// what is proven by identity numbers, and never guesses from names that look alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace abgleich::drift {

/// Whether identity numbers of the two catalogues speak of the same things.
enum class Evidence : std::uint8_t { names, identities };

enum class Trail : std::uint8_t {
  found,       // live under its name, and what was accepted, or a rename that the contract accepts
  unaccepted,  // live under its name; the accepted catalogue knows nothing of it
  renamed_here,  // live under its name; accepted under another, which the contract does not say
  impostor,      // live under its name, but the name now belongs to another thing
  remade,        // live under its name with a new identity; what was accepted is gone
  moved,         // what was accepted is live under a name that the contract does not say
  announced,     // the contract has the new name, the primary still has the old one
  superseded,    // what was accepted belongs to another line of the contract by its `was`
  gone,          // accepted and no longer there
  unknown,       // in neither catalogue
};

/// A name as the contract has it.
struct Named {
  std::string_view name;
  std::string_view was;  // empty for none
};

/// The things of one catalogue, by name and by identity. T has `name` and `identity`.
template <class T>
class Index {
 public:
  explicit Index(const std::vector<T>& things) {
    by_name_.reserve(things.size());
    by_identity_.reserve(things.size());
    for (const T& thing : things) {
      by_name_.emplace(thing.name, &thing);
      if (thing.identity != 0) {
        by_identity_.emplace(thing.identity, &thing);
      }
    }
  }

  [[nodiscard]] const T* named(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  /// What has the identity of `other`, a thing of the other catalogue.
  [[nodiscard]] const T* same_as(const T& other) const {
    const auto found = by_identity_.find(other.identity);
    return found == by_identity_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string_view, const T*> by_name_;
  std::unordered_map<std::int64_t, const T*> by_identity_;
};

/// Where one named thing went. `accepted` is what it was, `live` what has its name now, and
/// `elsewhere` what it has become under another name, if any.
template <class T>
struct Trace {
  Trail trail = Trail::unknown;
  const T* accepted = nullptr;
  const T* live = nullptr;
  const T* elsewhere = nullptr;
  const T* origin = nullptr;  // what `live` was in the accepted catalogue
};

template <class T>
class Tracer {
 public:
  /// `names`: all lines of the contract, since one line's `was` can explain another line's loss.
  Tracer(const Index<T>& accepted, const Index<T>& live, Evidence evidence,
         const std::vector<Named>& names)
      : accepted_(accepted), live_(live), evidence_(evidence) {
    for (const Named& named : names) {
      if (!named.was.empty() && named.was != named.name) {
        heirs_.emplace(named.was, named.name);
      }
    }
  }

  [[nodiscard]] Trace<T> trace(const Named& named) const {
    const T* live = live_.named(named.name);
    return live != nullptr ? trace_live(named, *live) : trace_lost(named);
  }

 private:
  [[nodiscard]] bool by_identity() const { return evidence_ == Evidence::identities; }

  /// The accepted thing of this name, unless another line of the contract rightly claims it.
  [[nodiscard]] const T* unclaimed(std::string_view name) const {
    const T* accepted = accepted_.named(name);
    const auto heir = heirs_.find(name);
    if (accepted == nullptr || heir == heirs_.end()) {
      return accepted;
    }
    const T* claimant = live_.named(heir->second);
    if (claimant == nullptr) {
      return accepted;
    }
    const bool claimed = by_identity() ? claimant->identity == accepted->identity
                                       : accepted_.named(heir->second) == nullptr;
    return claimed ? nullptr : accepted;
  }

  [[nodiscard]] const T* old_name(const Named& named) const {
    return named.was.empty() ? nullptr : accepted_.named(named.was);
  }

  [[nodiscard]] Trace<T> trace_live(const Named& named, const T& live) const {
    const T* accepted = unclaimed(named.name);
    const T* old = old_name(named);
    const T* expected = accepted != nullptr ? accepted : old;
    if (!by_identity()) {
      return {expected != nullptr ? Trail::found : Trail::unaccepted, expected, &live};
    }
    const T* origin = accepted_.same_as(live);
    if (origin != nullptr && (origin->name == named.name || origin->name == named.was)) {
      return {Trail::found, origin, &live, nullptr, origin};
    }
    if (expected == nullptr) {
      return {origin != nullptr ? Trail::renamed_here : Trail::unaccepted, origin, &live, nullptr,
              origin};
    }
    const T* elsewhere = live_.same_as(*expected);
    if (origin != nullptr || elsewhere != nullptr) {
      return {Trail::impostor, expected, &live, elsewhere, origin};
    }
    // A person has said that this is the old thing under a new name, and nothing contradicts that:
    // vendors also rename by adding, copying and dropping.
    return {expected == old ? Trail::found : Trail::remade, expected, &live};
  }

  [[nodiscard]] Trace<T> trace_lost(const Named& named) const {
    const T* accepted = unclaimed(named.name);
    const T* old = old_name(named);
    if (accepted == nullptr && accepted_.named(named.name) != nullptr) {
      return {Trail::superseded};
    }
    const T* expected = accepted != nullptr ? accepted : old;
    if (expected == nullptr) {
      return {Trail::unknown};
    }
    const T* elsewhere = by_identity() ? live_.same_as(*expected) : nullptr;
    const bool still = by_identity() ? elsewhere != nullptr && elsewhere->name == named.was
                                     : live_.named(named.was) != nullptr;
    if (expected == old && still) {
      return {Trail::announced, expected, nullptr, elsewhere};
    }
    return {elsewhere != nullptr ? Trail::moved : Trail::gone, expected, nullptr, elsewhere};
  }

  const Index<T>& accepted_;
  const Index<T>& live_;
  Evidence evidence_;
  std::unordered_map<std::string_view, std::string_view> heirs_;
};

}  // namespace abgleich::drift
