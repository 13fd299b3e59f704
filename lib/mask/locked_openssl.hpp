// OpenSSL's contexts for AES hold the round keys, in memory that OpenSSL asks for itself: here it
// gets locked memory for them.
#pragma once

#include <cstddef>

namespace abgleich::mask {

/// Makes OpenSSL ask here for memory. Has an effect only before OpenSSL has had any: `main` calls
/// it first.
void serve_openssl();

/// While this lives, what OpenSSL asks for on this thread is locked, and zeroed when it is given
/// back. Without `serve_openssl` it is memory as any.
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
