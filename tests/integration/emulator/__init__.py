"""Tests of the local Console API over real sockets."""
