"""A report as one HTML file that needs nothing else: no network, no second file."""

from __future__ import annotations

from dbt_statsig.report.html.page import html_failure, html_report

__all__ = ["html_failure", "html_report"]
