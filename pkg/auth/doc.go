// Package auth holds the gateway's cryptography: passwords, sessions, gateway tokens, the sealing of provider keys,
// and the redaction of credentials from texts that leave the process. It keeps no state, does no I/O and reads no clock.
//
// # Keys
//
// [Secrets] is derived once, at start, from the operator's JWT_SECRET and ENCRYPTION_KEY. HKDF-SHA256 gives each use a
// key of its own, so that no use can stand in for another:
//
//	session signing    JWT_SECRET       HS256 over session tokens
//	token checksum     JWT_SECRET       48 bits at the end of a gateway token, checked before any query
//	token digest       JWT_SECRET       what the database holds instead of a gateway token
//	set-up token       JWT_SECRET       printed for the first registration
//	sealing            ENCRYPTION_KEY   AES-256-GCM over provider keys; from JWT_SECRET (another label) without it
//
// # What an attacker can do
//
// With the database alone (a stolen dump, SQL injection that reads): nothing is opened. Provider keys are sealed under a
// key that is not there; token digests are HMACs of 164 random bits under a key that is not there; session rows cannot be
// turned into session tokens. Passwords can be guessed against argon2id, offline, one at a time. Whoever can also write
// can lend a token's digest to another user or delete rows, but a sealed key moved to another row, user or table does not open.
//
// With the environment alone (a leaked .env): there is nothing to open. The attacker can sign session tokens, but a
// session counts only if its id is in the database (an UUIDv7 with 74 random bits, never shown to anyone else); can write
// tokens with a good checksum, which cost the gateway one query each and name no row; and can compute the set-up token,
// which is worth something only while no user exists. SETUP_TOKEN in the environment is as exposed as JWT_SECRET.
//
// With both: everything. The local SQLite default keeps its secret beside the database; a copy of that directory is both.
//
// A secret that leaked should be replaced, not only added to: as long as it is listed as a previous one, sessions signed
// under it and tokens made under it are accepted.
package auth
