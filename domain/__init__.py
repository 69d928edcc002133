"""What happened: values, events, decisions. Knows no database, no clock, no network."""
