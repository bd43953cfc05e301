"""`dbt-statsig reload`: which experiments are loaded after a build, how, and what is said of them."""
