#include "sync/run/writing_run.hpp"

#include <utility>

namespace abgleich::sync {

WritingRun::WritingRun(const Pairing& pairing, const Manner& manner)
    : pairing_(pairing), keyring_(read_keyring(pairing.config)), kind_(manner.kind) {
  if (kind_ == report::Run::dry) {
    return;
  }
  lock_.emplace(pairing.config.state_directory);
  if (manner.on_lock) {
    manner.on_lock();
  }
  if (manner.latch == Latch::refuses) {
    expect_unlatched(pairing, keyring_);
  }
}

RunAttempt::RunAttempt(const WritingRun& run, std::string started)
    : run_(run),
      started_(std::move(started)),
      target_(run.pairing().config.secondary,
              run.kind() == report::Run::real ? db::Mode::real : db::Mode::dry) {}

const std::optional<db::HeadRow>& RunAttempt::look(const Opening& opening) {
  return look(run_.keyring(), opening);
}

const std::optional<db::HeadRow>& RunAttempt::look(const mask::Keyring& keyring,
                                                   const Opening& opening) {
  return head_ = open_books(run_.pairing(), target_, keyring, opening);
}

const std::optional<db::HeadRow>& RunAttempt::look(const Primary& primary) {
  return look(run_.keyring(), primary);
}

const std::optional<db::HeadRow>& RunAttempt::look(const mask::Keyring& keyring,
                                                   const Primary& primary) {
  return head_ = recover(run_.pairing(), target_, keyring, primary, run_.kind());
}

std::string RunAttempt::commit(RunFacts facts) {
  if (facts.started.empty()) {
    facts.started = started_;
  }
  return commit_run(run_.pairing(), target_, head_, facts);
}

}  // namespace abgleich::sync
