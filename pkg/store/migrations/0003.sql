-- Asynchronous requests.
create table jobs (
  id          bytea    not null primary key,
  user_id     bytea    not null references users (id) on delete cascade,
  name        text     not null,             -- the caller's requestId
  token_id    bytea,                         -- null: sent from the dashboard
  session_id  bytea,                         -- null: sent with a token
  state       smallint not null,             -- 1 queued, 2 running, 3 completed, 4 failed, 5 cancelled, 6 expired
  attempt     integer  not null,             -- the fence: what runs writes only as long as this is its number
  given_back  integer  not null,             -- attempts that a stopping process gave back: they do not count
  due_at      bigint   not null,             -- queued: not run before; running: the lease's end; over: what is kept goes then
  ended_at    bigint,
  digest      bytea    not null,             -- of the request, sealed
  payload     bytea,                         -- the request, sealed; null once the job is over
  sealing_key text     not null,             -- of digest and payload
  result      bytea,                         -- the answer or the error, sealed
  result_key  text,                          -- the key that sealed it
  unique (user_id, name)
);
create index jobs_user on jobs (user_id, id);
create index jobs_open on jobs (id) where state <= 2;
create index jobs_open_user on jobs (user_id) where state <= 2;
create index jobs_over on jobs (due_at) where state > 2;
