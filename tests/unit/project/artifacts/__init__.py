"""Tests of the readers of dbt's files."""
