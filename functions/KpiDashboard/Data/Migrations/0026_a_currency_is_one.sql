-- A currency that a provider told and that is none ("(not set)") was kept as it came: the business's own counts again.
update integrations set currency = null where currency is not null and currency !~ '^[A-Z]{3}$';
