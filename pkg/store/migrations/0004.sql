-- When a key's cooldown began; 0: unknown. Processes of earlier versions do not write it.
alter table provider_keys add column cooldown_since bigint not null default 0;
