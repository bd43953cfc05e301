"""The rows of what can go wrong, each at the level where a user meets it."""
