-- Which of several equal keys serves a conversation, so that the provider's prompt cache and its reasoning stay of use.
create table conversations (
  user_id    bytea  not null references users (id) on delete cascade,
  id         bytea  not null,              -- digest of the gateway token and the conversation
  key_id     bytea  not null,
  expires_at bigint not null,
  primary key (user_id, id)
) /*sqlite without rowid */;
create index conversations_expiry on conversations (expires_at);
