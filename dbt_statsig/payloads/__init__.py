"""Declarations and proven columns to what Statsig should hold."""
