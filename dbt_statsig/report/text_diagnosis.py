"""What `debug` found, as text: checks first, then each setting and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.report.escape import clipped, one_line

if TYPE_CHECKING:
    from dbt_statsig.report.style import Style
    from dbt_statsig.results import Check, Diagnosis, SettingOrigin

_SIGNS = {True: ("✓", "good"), False: ("✗", "error"), None: ("·", "quiet")}
_LONGEST_SETTING = 120


def _check(check: Check, style: Style, width: int) -> list[str]:
    sign, look = _SIGNS[check.ok]
    signs = len(style.sign("✓"))
    mark = style.paint(f"{style.sign(sign):<{signs}}", look)
    lead = f"{one_line(check.name):<{width}}  "
    indent = 2 + signs + 1
    lines = style.prose(check.message, indent=indent, first=lead)
    lines[0] = f"  {mark} {lines[0][indent:]}"
    return lines + style.fix(check.fix, indent=indent + len(lead))


def _setting(setting: SettingOrigin, style: Style, keys: int, values: int) -> str:
    value = clipped(setting.value, _LONGEST_SETTING)
    return f"  {one_line(setting.key):<{keys}}  {value:<{values}}  {style.paint(one_line(setting.origin), 'quiet')}"


def diagnosis_lines(diagnosis: Diagnosis, style: Style) -> list[str]:
    """The checks; and, unless the style is quiet, the settings."""
    checks = [check for check in diagnosis.checks if not style.quiet or check.ok is False]
    width = max((len(one_line(check.name)) for check in checks), default=0)
    lines = [line for check in checks for line in _check(check, style, width)]
    if lines:
        lines = [style.paint("Checks", "heading"), *lines, ""]
    if not style.quiet and diagnosis.settings:
        keys = max(len(one_line(setting.key)) for setting in diagnosis.settings)
        values = min(max(len(one_line(setting.value)) for setting in diagnosis.settings), 40)
        lines.append(style.paint("Settings", "heading"))
        lines += [_setting(setting, style, keys, values) for setting in diagnosis.settings]
        lines.append("")
    return lines


def diagnosis_summary(diagnosis: Diagnosis) -> str:
    """Whether all is well, or how many checks failed."""
    failed = sum(check.ok is False for check in diagnosis.checks)
    if failed:
        return f"{failed:,} of {len(diagnosis.checks):,} checks failed."
    skipped = sum(check.ok is None for check in diagnosis.checks)
    return f"All is well; {skipped:,} not checked." if skipped else "All is well."
