/* Shared by the files of this module and by its tests. */
#ifndef CRYPTO_INTERNAL_H
#define CRYPTO_INTERNAL_H

#include "crypto.h"

struct hash_cost {
    int64_t memory_kib, passes;
};
/* Whether a stored password hash is an argon2id string whose cost we are ready to pay. */
bool password_hash_form(struct str hash, struct hash_cost *ret);

/* The subkeys of a master key: libsodium's KDF (BLAKE2b), context "lianfang", ids 1 2 3. */
void site_key_derive(const uint8_t master[32], struct site_key *ret);

#endif
