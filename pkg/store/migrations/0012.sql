-- When the attempt that answered began, in milliseconds after its request; null: no attempt answered, or no trace is kept.
alter table requests add column started_ms integer;
