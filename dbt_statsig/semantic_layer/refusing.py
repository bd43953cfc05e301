"""Why a metric of dbt's is none of Statsig's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt_statsig.project.artifacts.semantic_models import SemanticModel

BY_HAND = "Write the metric under `metrics` of the model's `metric_source`, or exclude it with `enabled: false`."


class NotMapped(Exception):
    """What one metric, or one semantic model, asks for and Statsig does not have; ends as a finding.

    `reason` goes on after the metric's name: "its filter reads another metric".
    """

    def __init__(self, reason: str, *, fix: str = BY_HAND) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class NoSource(NotMapped):
    """Why a semantic model cannot be a metric source: none of its metrics can be mapped."""

    def __init__(self, why: NotMapped, model: SemanticModel) -> None:
        super().__init__(why.reason, fix=why.fix)
        self.model = model
