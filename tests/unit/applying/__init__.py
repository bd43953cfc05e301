"""Tests of what carries a plan out."""
