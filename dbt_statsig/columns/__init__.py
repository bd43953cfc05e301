"""Which columns a node has: contracts, catalogs and inference from compiled SQL, weighed by one table.

The entry point is `prover.Prover`. sqlglot is imported by the modules that read SQL, and these only when SQL is read.
"""
