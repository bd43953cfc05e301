"""Statsig's Console API over HTTP: the key, the limits, paging, retries, and what became of a write."""
