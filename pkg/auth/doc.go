// Package auth holds the gateway's cryptography: passwords, sessions, gateway tokens and the encryption of provider keys.
// It keeps no state, does no I/O and reads no clock.
//
// # Keys
//
// [Secrets] is derived once, at the start of the process, from the operator's JWT_SECRET and ENCRYPTION_KEY. HKDF-SHA256
// derives a separate key for each use, so that what is made for one use is never valid for another:
//
//	session signing    JWT_SECRET       HS256 over session tokens
//	token checksum     JWT_SECRET       48 bits at the end of a gateway token, checked before any query
//	token digest       JWT_SECRET       stored in the database in place of a gateway token
//	set-up token       JWT_SECRET       required for the first registration
//	encryption         ENCRYPTION_KEY   AES-256-GCM over provider keys; without it from JWT_SECRET, with another label
//
// # What an attacker can do
//
// With read access to the database alone (a stolen dump, SQL injection): decrypt nothing. Provider keys are encrypted
// under a key that is not in the database; token digests are HMACs of 164 random bits under a key that is not there;
// session rows cannot be turned into session tokens. Passwords can be guessed offline against argon2id, one at a time.
// An attacker who can also write can assign a token's digest to another user or delete rows, but an encrypted key that is
// moved to another row, user or table does not decrypt.
//
// With the environment alone (a leaked .env): decrypt nothing, since there is no ciphertext. The attacker can sign
// session tokens, but a session is valid only if its id is in the database (a UUIDv7 with 74 random bits that only its owner
// sees); can write tokens with a valid checksum, which cost the gateway one query each and match no row; and can compute
// the set-up token, which is valid only while no account exists. SETUP_TOKEN in the environment is as exposed as
// JWT_SECRET.
//
// With both: everything. The default SQLite installation keeps its secret in the folder of the database, so a copy of
// that folder is both.
//
// Remove a leaked secret from the configuration altogether: while it is listed as a previous one, sessions signed under it
// and tokens made under it stay valid.
package auth
