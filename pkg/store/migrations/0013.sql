-- How soon keys answer, for the strategy least-latency: means in which later measurements count more.
create table latencies (
  user_id    bytea  not null references users (id) on delete cascade,
  id         bytea  not null,              -- digest of the key, the model and the kind
  micros     bigint not null,
  samples    bigint not null,              -- how many measurements count
  expires_at bigint not null,
  primary key (user_id, id)
) /*sqlite without rowid */;
create index latencies_expiry on latencies (expires_at);
