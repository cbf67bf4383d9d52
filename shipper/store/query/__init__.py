"""Reading: parameters, plans, log and metric queries, Loki's JSON."""
