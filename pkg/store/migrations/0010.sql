-- Keys of endpoints that users name: their settings but for the secret and the values of headers, as JSON. provider is
-- then the slug of the endpoint, which a user has once.
alter table provider_keys add column custom text;
create unique index provider_keys_slug on provider_keys (user_id, provider) where custom is not null;
