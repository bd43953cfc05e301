"""Tests of the Console API client."""
