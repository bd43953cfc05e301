"""What the plugin does at every parse: one file, and nothing that could be in the way."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.forked import BIN
from tests.integration.cli_process import KEY

if TYPE_CHECKING:
    from tests.integration.dbt.job import Job

pytestmark = pytest.mark.dbt

WATCH = """
import json, sys, traceback
from dbt.cli.main import dbtRunner
loaded = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        frames = [frame.filename for frame in traceback.extract_stack()]
        if name in ("sqlglot", "httpx", "msgspec") and any("dbt_statsig" in file for file in frames):
            loaded.append(name)
sys.meta_path.insert(0, Watch())
result = dbtRunner().invoke(sys.argv[1:])
loaded += [name for name in ("dbt_statsig", "dbt_statsig.dbt_runtime.plugin") if name in sys.modules]
sys.stderr.write(json.dumps({"success": result.success, "loaded": loaded}))
"""


def watched(job: Job, *arguments: str, **environ: str) -> dict[str, Any]:
    """Whether a dbt command succeeded, which libraries we made it load, and whether it loaded us."""
    done = subprocess.run(
        [BIN / "python", "-c", WATCH, *arguments],
        cwd=job.folder,
        env=job.environ(KEY, environ),
        capture_output=True,
        text=True,
        check=True,
    )
    seen: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return seen


def declared(job: Job) -> dict[str, Any]:
    """The content of target/statsig.json."""
    content: dict[str, Any] = json.loads((job.folder / "target" / "statsig.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.engines
@pytest.mark.usefixtures("measured_commands")
def test_a_parse_writes_what_is_declared(job: Job) -> None:
    """After a full parse the file holds every declared source; neither sqlglot nor httpx was loaded."""
    (job.folder / "target" / "statsig.json").unlink()
    seen = watched(job, "parse", "--no-partial-parse")
    assert seen == {"success": True, "loaded": ["msgspec", "dbt_statsig", "dbt_statsig.dbt_runtime.plugin"]}
    content = declared(job)
    assert (content["project"], content["target"]) == ("tea_shop", "dev")
    names = {source["name"] for source in content["sources"]}
    assert {"Shop exposures", "Checkout opened", "Orders", "Refunds", "Sessions", "Customer profile"} <= names
    proven = {source["name"]: source["payload"]["sql"] for source in content["sources"] if source["is_proven"]}
    assert 'FROM "tea_shop"."main"."fct_exposures"' in proven["Shop exposures"]
    orders = next(source for source in content["sources"] if source["name"] == "Orders")
    assert orders["payload"]["sql"] is None
    assert orders["path"] == "models/shop/_shop.yml"


def test_a_parse_without_a_change_leaves_the_file(job: Job) -> None:
    """The file is written when the project or its settings change; else it is left, and nothing is loaded for it."""
    file = job.folder / "target" / "statsig.json"
    job.dbt("parse")
    before = file.stat()
    seen = watched(job, "parse")
    assert seen == {"success": True, "loaded": ["dbt_statsig", "dbt_statsig.dbt_runtime.plugin"]}
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    job.settings("name_prefix: {dev: 'Dev '}")
    job.dbt("parse")
    assert {source["name"][:4] for source in declared(job)["sources"]} == {"Dev "}
    job.edit("models/shop/_shop.yml", "name: Orders", "name: Paid orders")
    job.dbt("parse")
    assert "Dev Paid orders" in {source["name"] for source in declared(job)["sources"]}


def test_the_project_is_elsewhere(job: Job) -> None:
    """With --project-dir the file lands in that project's target folder."""
    (job.folder / "target" / "statsig.json").unlink()
    (job.folder / "dbt_statsig.yml").unlink()
    elsewhere = job.folder.parent / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [BIN / "dbt", "parse", "--project-dir", str(job.folder), "--profiles-dir", str(job.folder)],
        cwd=elsewhere,
        env=job.environ(KEY, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert declared(job)["project"] == "tea_shop"
    assert not (elsewhere / "target" / "statsig.json").exists()


def test_findings_are_in_the_file(job: Job) -> None:
    """What is wrong with a declaration is in the file, with its code and its place, and dbt goes on."""
    job.edit("models/shop/_shop.yml", "timestamp_column: ordered_at", "timestamp_colum: ordered_at")
    job.dbt("parse")
    found = next(one for one in declared(job)["findings"] if one["code"] == "unknown-key")
    assert (found["severity"], found["path"]) == ("error", "models/shop/_shop.yml")
    assert found["unique_id"] == "model.tea_shop.fct_orders"


def test_macros_are_documented_as_they_are(job: Job) -> None:
    """The check that dbt makes of macros' documented arguments finds nothing, even as an error."""
    job.edit("dbt_project.yml", "flags:\n", "flags:\n  validate_macro_args: true\n")
    output = job.dbt("--warn-error", "--show-all-deprecations", "parse", "--no-partial-parse")
    assert "rgument" not in output


@pytest.mark.parametrize("fault", ["settings", "folder"])
def test_a_fault_of_ours_is_one_warning(job: Job, fault: str) -> None:
    """Settings that cannot be used, or a file that cannot be written, cost one warning, even under --warn-error."""
    if fault == "settings":
        job.settings("no_such_setting: 1")
    else:
        (job.folder / "target" / "statsig.json").unlink()
        (job.folder / "target" / "statsig.json").mkdir()
    output = job.dbt("--warn-error", "parse")
    assert output.count("dbt-statsig") == output.count("[WARNING]: dbt-statsig: statsig.json was not written") == 1


UNKNOWN = """
import sys
import dbt.context.base
del dbt.context.base.get_context_modules
from dbt_statsig.dbt_runtime.plugin import DbtStatsigPlugin
assert DbtStatsigPlugin("tea_shop").get_manifest_artifacts(None) == {}
sys.modules["dbt.plugins.manager"] = None
del sys.modules["dbt_statsig.dbt_runtime.plugin"]
import dbt_statsig
assert dbt_statsig.plugins == []
"""


def test_a_dbt_that_we_do_not_know(job: Job) -> None:
    """Where a dbt lacks what the plugin needs, nothing is raised: the plugin is not active, and that is reported."""
    done = subprocess.run(
        [BIN / "python", "-c", UNKNOWN],
        cwd=job.folder,
        env=job.environ(KEY, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning: dbt-statsig is not active in this dbt" in done.stderr
