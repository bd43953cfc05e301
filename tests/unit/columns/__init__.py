"""Tests of proving columns."""
