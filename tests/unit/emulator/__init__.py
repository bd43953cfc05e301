"""Tests of the local Console API: pure parts."""
