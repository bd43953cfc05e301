"""Payloads against live objects: what would change, what must not be touched, and plans that are kept."""
