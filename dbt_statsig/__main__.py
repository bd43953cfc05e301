"""`python -m dbt_statsig` is `dbt-statsig`."""

from __future__ import annotations

from dbt_statsig.cli import main

if __name__ == "__main__":
    main()
