-- The whole schema of LLM Gateway, for PostgreSQL and SQLite alike. The gateway
-- creates and migrates it by itself. This file is for reading, and sets a database up
-- by hand (psql -f schema.sql, or sqlite3 data/gateway.db < schema.sql).
-- A test compares it with what the migrations make.
--
-- Ids are UUIDv7 as 16 bytes. Times are Unix milliseconds, days are days since
-- 1970-01-01 and hours are hours since then, all UTC. Costs are nano-dollars.
--
-- On SQLite the gateway also executes the comments marked "sqlite": those tables are then
-- stored in the order of their primary key. The gateway works without them, too.
--
-- Columns are never renamed, because older processes may share the database. Some names
-- are therefore older than the words of the code: sealed, sealing_key and result_key are
-- about encryption, rest_* about cooldowns, given_back about releases.

create table schema_version (
  version integer not null
);

-- One row: the settings of the whole gateway.
create table instance (
  id                   integer primary key check (id = 1),
  set_up               boolean not null,  -- the first user exists
  registration_enabled boolean not null,
  updated_at           bigint  not null
);

create table users (
  id         bytea   not null primary key,
  email      text    not null unique,      -- trimmed, lower case
  name       text    not null,
  role       text    not null check (role in ('admin', 'user')),
  password   text    not null,             -- argon2id, PHC string
  enabled    boolean not null,
  strategy   text,                         -- key selection; null: the gateway's default
  revision   bigint  not null,             -- incremented by every change that affects routing
  created_at bigint  not null,
  updated_at bigint  not null
);

create table sessions (
  id           bytea  not null primary key,
  user_id      bytea  not null references users (id) on delete cascade,
  user_agent   text   not null,
  address      text   not null,
  created_at   bigint not null,
  last_seen_at bigint not null,            -- written at most once a minute
  expires_at   bigint not null
);
create index sessions_user on sessions (user_id);

-- Gateway tokens. Only an HMAC of the token is stored.
create table tokens (
  id         bytea   not null primary key,
  user_id    bytea   not null references users (id) on delete cascade,
  name       text    not null,
  hash       bytea   not null unique,
  enabled    boolean not null,             -- the owner's switch
  blocked    boolean not null,             -- the admin's switch
  expires_at bigint,
  created_at bigint  not null,
  allowed_models    text not null default '[]', -- JSON arrays of what the token may be used for; empty: everything
  allowed_providers text not null default '[]',
  allowed_endpoints text not null default '[]',
  end_users         boolean not null default false, -- whether it tells who is behind a request
  end_user_source   text not null default ''        -- where; empty: wherever one is named first
);
create index tokens_user on tokens (user_id);

create table provider_keys (
  id             bytea   not null primary key,
  user_id        bytea   not null references users (id) on delete cascade,
  provider       text    not null,
  name           text    not null,
  sealed         bytea   not null,         -- the secret, AES-256-GCM, bound to this row
  sealing_key    text    not null,         -- id of the encryption key
  last_four      text    not null,
  priority       integer not null,         -- lower is tried first
  enabled        boolean not null,         -- the owner's switch
  blocked        boolean not null,         -- the admin's switch
  allowed_models text    not null,         -- JSON array: exact, prefix*, or *; empty: all models of the provider
  default_model  text,
  daily_limit    bigint,                   -- requests per UTC day; null: no limit
  rest_until     bigint  not null,         -- rest_* are not used any more, see cooldowns; older processes write them
  rest_class     text    not null,
  rest_note      text    not null,
  created_at     bigint  not null,
  updated_at     bigint  not null,
  custom         text                      -- JSON settings of an endpoint that the user named, whose slug is the provider; null: none
);
create index provider_keys_user on provider_keys (user_id);
create unique index provider_keys_slug on provider_keys (user_id, provider) where custom is not null;

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

-- The used part of a key's quota of a day. gen counts the resets of that day, so that
-- a release after a reset does not free a reservation of before it.
create table key_days (
  key_id bytea  not null references provider_keys (id) on delete cascade,
  day    bigint not null,
  used   bigint not null,
  gen    bigint not null default 0,
  primary key (key_id, day)
) /*sqlite without rowid */;

-- The round-robin cursor of each set of keys of equal priority.
create table cursors (
  user_id bytea  not null references users (id) on delete cascade,
  key_set bytea  not null,                 -- digest of the keys' ids
  turn    bigint not null,
  primary key (user_id, key_set)
) /*sqlite without rowid */;

-- Login throttles, if there is no Redis.
create table throttles (
  bucket     text   primary key,
  failures   bigint not null,
  free_at    bigint not null               -- the next try is accepted from this time on
);

-- The request log, append-only. Its time is in the id.
create table requests (
  user_id       bytea    not null,
  id            bytea    not null,
  token_id      bytea,                     -- null: sent from the dashboard
  key_id        bytea,                     -- null: no key was called
  provider      text,
  model         text     not null,         -- that the provider was asked for; that of the request if none was called
  cost          bigint,                    -- nano-dollars; null: unpriced
  status        smallint not null,         -- HTTP status of the answer to the caller
  outcome       smallint not null,
  attempts      smallint not null,         -- providers called
  flags         smallint not null,         -- 1 streamed, 2 usage estimated, 4 steered, 3584 (3 bits): strategy
  latency_ms    integer  not null,
  first_byte_ms integer,
  input         integer  not null,         -- tokens, all classes of input together
  cached        integer  not null,         -- of input: read from the provider's cache
  cache_write   integer  not null,         -- of input: written to it
  output        integer  not null,
  reasoning     integer  not null,         -- of output
  asked         text check (length(asked) > 0), -- the model that was asked for, if another served; else null
  started_ms    integer,                   -- when the attempt that answered began, after the request; null: none, or no trace
  primary key (user_id, id)
) /*sqlite without rowid */;

-- The failed attempts and skipped keys of requests. Of those that answer, the row of the request has the last attempt.
create table request_traces (
  user_id bytea not null,
  id      bytea not null,
  trace   text  not null,                  -- JSON
  primary key (user_id, id)
) /*sqlite without rowid */;

-- Hourly sums, which charts and counts read.
create table usage_hours (
  user_id     bytea  not null,
  hour        bigint not null,
  token_id    bytea  not null,             -- 16 zero bytes: the dashboard
  key_id      bytea  not null,             -- 16 zero bytes: no key was called
  provider    text   not null,
  model       text   not null,
  requests    bigint not null,
  errors      bigint not null,
  unpriced    bigint not null,
  cost        bigint not null,
  input       bigint not null,
  cached      bigint not null,
  cache_write bigint not null,
  output      bigint not null,
  reasoning   bigint not null,
  last_at     bigint not null,
  primary key (user_id, hour, token_id, key_id, provider, model)
) /*sqlite without rowid */;

-- Hourly histograms of latency (kind 1) and time to first byte (kind 2).
create table latency_hours (
  user_id  bytea    not null,
  hour     bigint   not null,
  kind     smallint not null,
  bucket   smallint not null,
  requests bigint   not null,
  primary key (user_id, hour, kind, bucket)
) /*sqlite without rowid */;

-- Saved reasoning, which a provider wants back with a turn of the assistant, for callers whose format cannot carry it;
-- and the turn keys by which it is found: digests of the gateway token, the end user and the conversation up to the turn.
create table turns (
  user_id     bytea  not null references users (id) on delete cascade,
  id          bytea  not null,             -- digest of the content, or a turn key
  key_id      bytea  not null,             -- the provider key that answered
  sealed      bytea  not null,             -- AES-256-GCM, bound to this row; of a turn key: id of the content, empty if several claim the key
  sealing_key text   not null,             -- id of the encryption key; empty: the row is a turn key
  expires_at  bigint not null,
  primary key (user_id, id)
);
create index turns_expiry on turns (expires_at);

-- Asynchronous requests.
create table jobs (
  id          bytea    not null primary key,
  user_id     bytea    not null references users (id) on delete cascade,
  name        text     not null,             -- the caller's requestId
  token_id    bytea,                         -- null: sent from the dashboard
  session_id  bytea,                         -- null: sent with a token
  state       smallint not null,             -- 1 queued, 2 running, 3 completed, 4 failed, 5 cancelled, 6 expired
  attempt     integer  not null,             -- the fencing number: only the run with this number may write
  given_back  integer  not null,             -- attempts that a stopping process released: they do not count
  due_at      bigint   not null,             -- queued: start; running: end of the lease; over: deletion of the result
  ended_at    bigint,
  digest      bytea    not null,             -- of the request, encrypted
  payload     bytea,                         -- the request, encrypted; null once the job is over
  sealing_key text     not null,             -- id of the encryption key of digest and payload
  result      bytea,                         -- the answer or the error, encrypted
  result_key  text,                          -- id of its encryption key
  unique (user_id, name)
);
create index jobs_user on jobs (user_id, id);
create index jobs_open on jobs (id) where state <= 2;
create index jobs_open_user on jobs (user_id) where state <= 2;
create index jobs_over on jobs (due_at) where state > 2;

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

-- Answers of OpenAI's Responses that later requests refer to. The sizes stand before the contents, so that adding them
-- up reads no content.
create table responses (
  user_id        bytea  not null references users (id) on delete cascade,
  id             bytea  not null,          -- of the request
  token_id       bytea  references tokens (id) on delete cascade, -- null: sent from the dashboard
  previous       bytea,                    -- the response that it goes on with
  size           integer not null,         -- bytes of both contents
  expires_at     bigint not null,
  encryption_key text   not null,          -- id of the encryption key
  items          bytea  not null,          -- what it added to the conversation, encrypted
  answer         bytea  not null,          -- the rest of the response, encrypted
  primary key (user_id, id)
);
create index responses_token on responses (token_id);
create index responses_expiry on responses (expires_at);

-- Which response has an item.
create table response_items (
  user_id     bytea not null,
  item        bytea not null,              -- digest of the token and the item's id
  response_id bytea not null,
  primary key (user_id, item),
  foreign key (user_id, response_id) references responses (user_id, id) on delete cascade
) /*sqlite without rowid */;
create index response_items_response on response_items (user_id, response_id);

-- About how many bytes of responses a user has: at least as many as there are.
create table response_totals (
  user_id bytea  not null primary key references users (id) on delete cascade,
  bytes   bigint not null
);

-- Which of several equal keys serves a conversation, so that the provider's prompt cache and its reasoning stay of use.
create table conversations (
  user_id    bytea  not null references users (id) on delete cascade,
  id         bytea  not null,              -- digest of the gateway token and the conversation
  key_id     bytea  not null,
  expires_at bigint not null,
  primary key (user_id, id)
) /*sqlite without rowid */;
create index conversations_expiry on conversations (expires_at);

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

insert into schema_version (version) values (13);
insert into instance (id, set_up, registration_enabled, updated_at) values (1, false, false, 0);
