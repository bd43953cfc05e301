"""The SQL that Statsig is sent, run on real engines."""
