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
