"""Where bytes live: objects, Delta tables, the vault of personal data, the record of runs."""
