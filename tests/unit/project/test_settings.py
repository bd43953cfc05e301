"""Tests of the settings: three sources, one order, every fault at once, and no secret."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dbt_statsig.errors import SettingsError
from dbt_statsig.project.settings import SETTING_NAMES, Settings, resolve

if TYPE_CHECKING:
    from pathlib import Path

KEY = "console-" + "a1B2" * 8
ON = "YAML reads an unquoted on, off, yes or no as true or false: put quotes around it."


def _faults(project_dir: Path, text: str, **given: dict[str, object]) -> list[str]:
    (project_dir / "dbt_statsig.yml").write_text(text, encoding="utf-8")
    environ = {key: str(value) for key, value in given.get("environ", {}).items()}
    with pytest.raises(SettingsError) as caught:
        resolve(project_dir, environ, given.get("flags", {}))
    assert KEY not in str(caught.value)
    return caught.value.message.split("\n")


def test_defaults(tmp_path: Path) -> None:
    """Without a file, variables and flags every setting has its default."""
    found = resolve(tmp_path, {}, {})
    assert found.settings == Settings()
    assert found.origins == dict.fromkeys(SETTING_NAMES, "default")
    (tmp_path / "dbt_statsig.yml").write_text("# nothing yet\n", encoding="utf-8")
    assert resolve(tmp_path, {}, {}).settings == Settings()


def test_every_setting_in_the_file(tmp_path: Path) -> None:
    """The file may hold every setting, a byte-order mark too; each origin is its line."""
    text = """\
base_url: http://127.0.0.1:8000
defaults: {tags: [growth], metric_source: {is_verified: true}}
hidden_tags: []
docs_url: https://docs.example.com
respect_review_settings: true
allowed_targets: [prod]
allowed_databases: null
allowed_schemas: []
name_prefix: {dev: "dev "}
namespace: {dev: mine}
semantic_layer: {metrics: all, exclude: [revenue]}
unit_ids: {customer: userID}
read_only: true
write_timeout: 90.5
read_timeout: 20
wait_budget: 0
concurrency: 4
write_rate: 10
write_rate_max: 20
write_quota: 900
prune_threshold_percent: 50
prune_threshold_objects: 0
change_threshold_objects: 0
reload_most: 5
max_artifact_mb: 2048
cache: false
guides: true
strict: true
enabled: false
on_failure: fail
after_failure: skip
on_test_failure: push
require_tests: [fit_for_statsig]
hook_timeout: 60
"""
    (tmp_path / "dbt_statsig.yml").write_text("\ufeff" + text, encoding="utf-8")
    found = resolve(tmp_path, {}, {})
    assert found.settings.defaults == {"tags": ["growth"], "metric_source": {"is_verified": True}}
    assert found.settings.allowed_targets == ("prod",)
    assert found.settings.allowed_schemas == ()
    assert found.settings.write_timeout == 90.5
    assert found.origins == {key: f"dbt_statsig.yml:{line}" for line, key in enumerate(SETTING_NAMES, start=1)}


def test_who_wins(tmp_path: Path) -> None:
    """A flag wins over the environment, which wins over the file; empty variables and unset flags say nothing."""
    (tmp_path / "dbt_statsig.yml").write_text("concurrency: 2\nread_timeout: 5\nstrict: true\n", encoding="utf-8")
    environ = {"DBT_STATSIG_CONCURRENCY": "3", "DBT_STATSIG_READ_TIMEOUT": "6", "DBT_STATSIG_STRICT": " "}
    found = resolve(tmp_path, environ, {"concurrency": 4, "strict": None})
    assert (found.settings.concurrency, found.settings.read_timeout, found.settings.strict) == (4, 6, True)
    assert found.origins["concurrency"] == "flag"
    assert found.origins["read_timeout"] == "environment DBT_STATSIG_READ_TIMEOUT"
    assert found.origins["strict"] == "dbt_statsig.yml:3"


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("ALLOWED_TARGETS", "prod, ci ,", ("prod", "ci")),
        ("HIDDEN_TAGS", "pii", ("pii",)),
        ("NAME_PREFIX", '{"dev": "dev "}', {"dev": "dev "}),
        ("NAMESPACE", "eu", "eu"),
        ("HIDDEN_TAGS", ' ["pii", "it\'s, secret"]', ("pii", "it's, secret")),
        ("HIDDEN_TAGS", "[]", ()),
        ("NAMESPACE", "{target}", "{target}"),
        ("NAMESPACE", '{"dev": "ada"}', {"dev": "ada"}),
        ("DEFAULTS", '{"tags": ["a"]}', {"tags": ["a"]}),
        ("STRICT", "True", True),
        ("CONCURRENCY", "16", 16),
        ("WRITE_TIMEOUT", "1.5", 1.5),
        ("BASE_URL", "https://example.com", "https://example.com"),
        ("DOCS_URL", " https://example.com ", "https://example.com"),
    ],
)
def test_the_environment(tmp_path: Path, variable: str, text: str, expected: object) -> None:
    """Each form of setting can be written as a variable: lists with commas, mappings as JSON."""
    found = resolve(tmp_path, {f"DBT_STATSIG_{variable}": text, "DBT_STATSIG_TRACEBACK": "1"}, {})
    assert getattr(found.settings, variable.lower()) == expected


@pytest.mark.parametrize("text", ["[pii]", '["pii"', '"pii"', "pii, 'secret'", "pii]", "[" * 100_000, "[[1]]", "[1]"])
def test_a_list_that_is_none(tmp_path: Path, text: str) -> None:
    """A bracket or a quote is never part of a name in a list of the environment: such a tag would hide no column."""
    (fault,) = _faults(tmp_path, "", environ={"DBT_STATSIG_HIDDEN_TAGS": text})
    assert fault.startswith("environment DBT_STATSIG_HIDDEN_TAGS: `hidden_tags")


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Every fault of all three sources is listed, with its place and the nearest name."""
    text = "bas_url: x\nconcurrency: '8'\nstrict: 1\non: 3\nwrite_timeout: 0\n"
    environ: dict[str, object] = {
        "DBT_STATSIG_BASEURL": "x",
        "DBT_STATSIG_NAME_PREFIX": "{",
        "DBT_STATSIG_DEFAULTS": "[" * 100_000,
        "DBT_STATSIG_READ_TIMEOUT": "soon",
    }
    assert sorted(_faults(tmp_path, text, environ=environ, flags={"stric": True, "concurrency": 99})) == [
        'dbt_statsig.yml:1:1: `bas_url` is not a key that exists. Did you mean "base_url"?',
        'dbt_statsig.yml:2:1: `concurrency` takes a whole number from 1 to 64, not "8".',
        "dbt_statsig.yml:3:1: `strict` takes true or false, not the number 1.",
        f"dbt_statsig.yml:4:1: `true` is not a key that exists. {ON}",
        "dbt_statsig.yml:5:1: `write_timeout` takes a number from 1 to 86400, not the number 0.",
        'environment DBT_STATSIG_BASEURL: unknown setting. Did you mean "DBT_STATSIG_BASE_URL"?',
        "environment DBT_STATSIG_DEFAULTS: `defaults` takes a mapping written as JSON.",
        "environment DBT_STATSIG_NAME_PREFIX: `name_prefix` takes a mapping written as JSON.",
        'environment DBT_STATSIG_READ_TIMEOUT: `read_timeout` takes a number from 1 to 86400, not "soon".',
        "flag --concurrency: `concurrency` takes a whole number from 1 to 64, not the number 99.",
        'flag --stric: is not a key that exists. Did you mean "strict"?',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strict: true\nstrict: false\n", "dbt_statsig.yml:2:1: `strict` is already set in line 1; YAML keeps only"),
        ("- strict\n", "dbt_statsig.yml:1:1: the file contains a list, not a mapping of settings."),
        ("a: [\n", "dbt_statsig.yml:2:1: the file cannot be read as YAML: "),
        ("a: \x07\n", "dbt_statsig.yml: the file cannot be read as YAML: it contains a character"),
        ("strict: !!python/object:os.system {}\n", "is not allowed"),
        ("base_url: '{{ env_var(\"X\") }}'\n", "is not rendered. Set the variable DBT_STATSIG_BASE_URL instead."),
        ("allowed_targets: ['{{ x }}']\n", "Set the variable DBT_STATSIG_ALLOWED_TARGETS instead."),
        ("hidden_tags: pii\n", '`hidden_tags` takes a list, each entry text, not "pii". Write [pii].'),
        (
            "namespace: a b\n",
            '`namespace` cannot be "a b". Use letters, digits, ".", "_", "-" and {target}.',
        ),
        ("namespace: {dev: a@b}\n", '`namespace.dev` cannot be "a@b".'),
        ("namespace: {dev: a/b}\n", '`namespace.dev` cannot be "a/b".'),
        ('namespace: ""\n', '`namespace` cannot be "".'),
        ("namespace: [a]\n", "a namespace, not a list."),
        ("namespace: 3\n", "not the number 3."),
        ("name_prefix: {dev: 3}\n", "`name_prefix.dev` takes text, not the number 3."),
        ("concurrency: .nan\n", "not a number out of range"),
        ("x: &x [a]\nbase_url: 2026-01-01\n", "`base_url` takes text, not a date."),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, message: str) -> None:
    """A file that cannot be used is reported with the place and the next step."""
    assert any(message in fault for fault in _faults(tmp_path, text))


@pytest.mark.parametrize(
    "url",
    [
        "https://statsig.example.com",
        "https://statsigapi.net.example.com",
        "https://statsigapi.net@example.com",
        "https://example.com#https://statsigapi.net",
        "https://xn--sttsigapi-66a.net",
        "http://statsigapi.net",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://[::1",
        "statsigapi.net",
        "//example.com",
    ],
)
def test_the_file_chooses_no_foreign_host(tmp_path: Path, url: str) -> None:
    """From the file the key goes to Statsig or stays here; the environment and flags may name any host."""
    text = f"strict: true\nbase_url: '{url}'\n"
    (fault,) = _faults(tmp_path, text)
    assert fault.startswith("dbt_statsig.yml:2: `base_url` is neither Statsig's own host nor this machine.")
    assert fault.endswith("Set any other host with DBT_STATSIG_BASE_URL or --base-url.")
    environ = {"DBT_STATSIG_BASE_URL": "https://statsig.example.com"}
    assert resolve(tmp_path, environ, {}).settings.base_url == "https://statsig.example.com"
    assert resolve(tmp_path, {}, {"base_url": "https://a.example.com"}).settings.base_url == "https://a.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "https://statsigapi.net",
        "https://api.statsig.com/",
        "https://STATSIGAPI.net.:443",
        "http://localhost:80",
        "http://127.1",
        "https://[::1]:8",
    ],
)
def test_the_file_may_name_statsig_and_this_machine(tmp_path: Path, url: str) -> None:
    """Statsig's own hosts and loopback are taken from the file."""
    (tmp_path / "dbt_statsig.yml").write_text(f"base_url: '{url}'\n", encoding="utf-8")
    assert resolve(tmp_path, {}, {}).settings.base_url == url


@pytest.mark.parametrize(
    "text",
    [
        f"api_key: {KEY}\n",
        "STATSIG_CONSOLE_API_KEY: x\n",
        "token: x\n",
        f"docs_url: {KEY}\n",
        f"hidden_tags: [{KEY}]\n",
        f"defaults: {{team: {KEY}}}\n",
        "defaults: {api_key: x}\n",
    ],
)
def test_a_secret_in_the_file(tmp_path: Path, text: str) -> None:
    """A secret is refused without being shown, with the variable to use instead."""
    (fault,) = _faults(tmp_path, text)
    assert "set STATSIG_CONSOLE_API_KEY" in fault


def test_a_secret_in_a_variable(tmp_path: Path) -> None:
    """A key in the wrong variable is refused without being shown."""
    (fault,) = _faults(tmp_path, "", environ={"DBT_STATSIG_DOCS_URL": KEY})
    assert fault.startswith("environment DBT_STATSIG_DOCS_URL: `docs_url` looks like a secret")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Another encoding, a folder, an over-long file or the wrong ending each give one clear error."""
    file = tmp_path / "dbt_statsig.yml"
    for data, message in ((b"\xff\xfe", "the file is not UTF-8 (byte 0)"), (b"#" * 1_000_001, "larger than")):
        file.write_bytes(data)
        with pytest.raises(SettingsError, match=message.replace("(", r"\(").replace(")", r"\)")):
            resolve(tmp_path, {}, {})
    file.unlink()
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        resolve(tmp_path, {}, {})
    file.rename(tmp_path / "dbt_statsig.yaml")
    with pytest.raises(SettingsError, match=r"must be named dbt_statsig\.yml"):
        resolve(tmp_path, {}, {})


@hypothesis_settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=80) | st.text(alphabet=" -:{}[]&*!|>#\n'\"abstrict", max_size=80).map(str.encode))
def test_no_file_raises_otherwise(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever bytes the file holds, there are settings or a SettingsError."""
    project_dir = tmp_path_factory.mktemp("project")
    (project_dir / "dbt_statsig.yml").write_bytes(data)
    with suppress(SettingsError):
        assert isinstance(resolve(project_dir, {}, {}).settings, Settings)


def test_a_link_shows_nothing_of_what_it_leads_to(tmp_path: Path) -> None:
    """A file elsewhere that is no valid settings file is not quoted; one that is valid is read."""
    project, other = tmp_path / "project", tmp_path / "credentials"
    project.mkdir()
    (project / "dbt_statsig.yml").symlink_to(other)
    for text in ("aws_key_id: hidden\n", "strict: hidden\n", "hidden", "hidden: ["):
        other.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=r"links to a file outside of the project") as caught:
            resolve(project, {}, {})
        assert "hidden" not in str(caught.value)
    other.write_text("strict: true\n", encoding="utf-8")
    assert resolve(project, {}, {}).settings.strict
