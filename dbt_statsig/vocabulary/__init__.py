"""The words that every part speaks: kinds, findings, changes, results. Imports nothing of ours but these and errors."""
