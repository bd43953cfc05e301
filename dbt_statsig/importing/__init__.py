"""What a Statsig project holds, as YAML of the dbt project."""
