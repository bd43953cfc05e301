"""Imports of what a console holds."""
