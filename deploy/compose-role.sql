-- The image of Postgres runs this once, when it creates the database gateway (docker-compose.yml): the gateway gets a role
-- that owns this database and may do nothing else. The superuser has no password, so nobody can use it over the network;
-- "docker compose exec -u postgres postgres psql gateway" still works.
\set ON_ERROR_STOP on
\getenv password POSTGRES_PASSWORD
create role gateway login nosuperuser nocreatedb nocreaterole password :'password';
alter database gateway owner to gateway;
alter role postgres password null;
