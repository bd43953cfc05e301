"""The work that is done within a dbt process, without importing dbt: its objects come in as they are."""
