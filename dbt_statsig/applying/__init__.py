"""Carries a plan out: stages to outcome, and the console's state before and after."""
