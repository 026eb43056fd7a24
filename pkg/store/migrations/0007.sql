-- End users and tags. What they are called is in labels, of which each token and each user may have some.
create table labels (
  user_id    bytea    not null,
  party      bytea    not null,            -- digest of kind, owner and name
  owner      bytea    not null,            -- of an end user the token, of a tag the user
  kind       smallint not null,            -- 1 end user, 2 tag
  name       text     not null,            -- an e-mail address as a keyed hash
  created_at bigint   not null,
  primary key (user_id, party)
) /*sqlite without rowid */;
create index labels_owner on labels (owner, kind);
-- Daily sums by end user and by tag.
create table label_days (
  user_id     bytea    not null,
  day         bigint   not null,
  kind        smallint not null,
  owner       bytea    not null,
  label       text     not null,           -- a name in labels; other: one beyond those
  requests    bigint   not null,
  errors      bigint   not null,
  unpriced    bigint   not null,
  cost        bigint   not null,
  input       bigint   not null,
  cached      bigint   not null,
  cache_write bigint   not null,
  output      bigint   not null,
  reasoning   bigint   not null,
  primary key (user_id, day, kind, owner, label)
) /*sqlite without rowid */;
-- Whether a token tells who is behind a request, and where; empty: wherever one is named first.
alter table tokens add column end_users boolean not null default false;
alter table tokens add column end_user_source text not null default '';
