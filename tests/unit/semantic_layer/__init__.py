"""What dbt's semantic layer becomes in Statsig."""
