-- Cooldowns of keys, of single models of a key, and of providers' hosts.
create table cooldowns (
  subject      bytea   not null,           -- a key's id, or a digest of user, provider and base URL: a host as one user reaches it
  model_key    bytea   not null,           -- digest of the model's id; 16 zero bytes: all models
  user_id      bytea   not null references users (id) on delete cascade,
  model        text    not null,           -- as the provider is asked; empty: all models
  until        bigint  not null,           -- nothing is sent before this time
  resets_at    bigint  not null,           -- the end that the provider named, if it is later; else 0
  half_open    boolean not null,           -- after until, one request at a time probes; the row stands until one succeeds
  class        text    not null,           -- the last failure's error class
  message      text    not null,           -- the provider's message, redacted
  since        bigint  not null,
  failures     bigint  not null,           -- in a row, each after the cooldown of the one before had ended
  lease_until  bigint  not null,           -- a probe runs until then at the latest; 0: none
  lease_holder bytea,                      -- the request that probes
  primary key (subject, model_key)
) /*sqlite without rowid */;
create index cooldowns_user on cooldowns (user_id);
create index cooldowns_end on cooldowns (until);
-- Keys that a provider refused stay marked, and are probed by the next request.
insert into cooldowns (subject, model_key, user_id, model, until, resets_at, half_open, class, message, since, failures, lease_until)
select id, /*sqlite x'00000000000000000000000000000000' -- */ '\x00000000000000000000000000000000'::bytea
 , user_id, '', updated_at, 0, true, rest_class, rest_note, 0, 1, 0 from provider_keys where rest_class in ('bad_key', 'forbidden');
