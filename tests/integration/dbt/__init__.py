"""Real dbt, with the package and the plugin, beside a console on this machine."""
