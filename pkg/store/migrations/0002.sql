-- What providers want back with a turn of the assistant, for callers whose format has no place for it.
create table turns (
  user_id     bytea  not null references users (id) on delete cascade,
  id          bytea  not null,             -- digest of the gateway token and the turn's first tool call, or its signature
  key_id      bytea  not null,             -- the provider key that made it
  sealed      bytea  not null,             -- AES-256-GCM, bound to this row
  sealing_key text   not null,
  expires_at  bigint not null,
  primary key (user_id, id)
);
create index turns_expiry on turns (expires_at);
