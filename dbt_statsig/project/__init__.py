"""The dbt project as it is on disk: artifacts, settings, declarations, target."""
