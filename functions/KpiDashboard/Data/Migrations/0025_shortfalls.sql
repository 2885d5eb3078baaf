-- What a run could not read beside its main reading (how days divide, single look-ups), in whichever of its steps that came up: a later step overwrites the message
-- of the run while it waits, and only the last step writes the one that stays.
alter table sync_runs add column shortfall text check (char_length(shortfall) <= 4000);
