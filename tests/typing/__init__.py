"""Uses of the public API, for the type checker."""
