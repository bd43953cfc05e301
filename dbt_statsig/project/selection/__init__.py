"""dbt's selection syntax, as far as a manifest tells it; dbt itself is asked for the rest."""
