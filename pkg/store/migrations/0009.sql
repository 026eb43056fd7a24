-- Names that stand for one or several models, in the order of trying.
create table aliases (
  id         bytea   not null primary key,
  user_id    bytea   references users (id) on delete cascade, -- null: it is for everyone's requests
  name       text    not null,
  targets    text    not null,             -- JSON
  strategy   text    check (length(strategy) > 0), -- null: the order of the targets
  created_at bigint  not null,
  updated_at bigint  not null,
  unique (user_id, name)
);
create unique index aliases_shared on aliases (name) where user_id is null;
-- The model that was asked for, if another served.
alter table requests add column asked text check (length(asked) > 0);
