-- What a token or a key has served in all hours before the user's use_counted.before, so that lists do not add up the
-- whole history.
create table use_totals (
  user_id  bytea  not null references users (id) on delete cascade,
  subject  bytea  not null,                -- a token or a key
  requests bigint not null,
  last_at  bigint not null,
  primary key (user_id, subject)
) /*sqlite without rowid */;
create table use_counted (
  user_id bytea  not null primary key references users (id) on delete cascade,
  before  bigint not null                  -- an hour
);
