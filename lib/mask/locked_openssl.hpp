// OpenSSL's contexts for AES hold the round keys, in memory that OpenSSL allocates itself. Here it
// gets locked memory for them.
#pragma once

#include <cstddef>

namespace abgleich::mask {

/// Makes OpenSSL allocate its memory here. Works only before OpenSSL has allocated any: `main`
/// calls it first.
void serve_openssl();

/// While this exists, memory that OpenSSL allocates on this thread is locked, and zeroed when it is
/// freed. Without `serve_openssl`, or when no locked memory is left, it is ordinary memory.
class SecretContexts {
 public:
  SecretContexts();
  SecretContexts(const SecretContexts&) = delete;
  SecretContexts& operator=(const SecretContexts&) = delete;
  ~SecretContexts();
};

/// How many blocks of locked memory OpenSSL has.
std::size_t locked_for_openssl();

}  // namespace abgleich::mask
