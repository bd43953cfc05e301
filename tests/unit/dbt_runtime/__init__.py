"""Tests of the work done within dbt."""
