-- Spend limits. The column names avoid reserved words: span is the window's length, party an end user.
create table limits (
  id         bytea    not null primary key,
  user_id    bytea    references users (id) on delete cascade, -- whose requests it counts; null: everybody's
  subject    smallint not null,            -- 1 token, 2 key, 3 user, 4 end user, 5 gateway
  subject_id bytea    not null,            -- a token, also an end user's, a key or a user; 16 zero bytes: the gateway
  end_user   text,                         -- of an end user's limit: which one; null: each
  metric     smallint not null,            -- 1 requests, 2 tokens, 3 cost, 4 requests at the same time
  span       smallint not null,            -- 1 minute, 2 hour, 3 day, 4 week, 5 month, 6 total
  amount     bigint   not null,            -- requests, tokens or nano-dollars
  models     text     not null,            -- JSON array: exact, prefix*, or *; empty: all models
  strict     boolean  not null,            -- what is held is an upper bound
  fallback   text,                         -- once it is reached this model serves; null: it is a cap
  created_at bigint   not null,
  updated_at bigint   not null
);
create index limits_user on limits (user_id);
create index limits_subject on limits (subject_id);
-- What was spent of a limit in a window. gen counts the resets, as in key_days.
create table limit_windows (
  limit_id    bytea  not null,
  party       bytea  not null,             -- of a limit for each end user: digest of the end user; else 16 zero bytes
  starts      bigint not null,             -- 0: total
  used        bigint not null,
  unconfirmed bigint not null,             -- of used: held amounts of requests whose true amount is not known
  gen         bigint not null,
  primary key (limit_id, party, starts)
) /*sqlite without rowid */;
-- Reservations that are not settled: a row for each limit that holds for the request, or one for its key if none does.
create table holds (
  id         bytea  not null,              -- the reservation
  subject    bytea  not null,              -- a limit, or the key
  party      bytea  not null,              -- as in limit_windows
  starts     bigint not null,              -- the window
  key_id     bytea  not null,
  day_gen    bigint not null,              -- of the key's day, see key_days
  amount     bigint not null,
  gen        bigint not null,              -- of the window
  output     bigint not null,              -- output tokens that the amount pays for
  total      bigint not null,              -- of the window, when this was held
  expires_at bigint not null,              -- after that it counts as spent
  primary key (id, subject)
) /*sqlite without rowid */;
create index holds_window on holds (subject, party, starts, expires_at, amount) where subject <> key_id;
-- What a token may be used for: JSON arrays; empty: everything.
alter table tokens add column allowed_models text not null default '[]';
alter table tokens add column allowed_providers text not null default '[]';
alter table tokens add column allowed_endpoints text not null default '[]';
