"""The way of a source from a dbt project's YAML into a console: `make demo` runs it, on this machine only.

Works on a copy of this folder under `.demo/`. Ends with 1 as soon as a command does otherwise than expected.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
SHOP = HERE.parent / ".demo" / "tea_shop"
BIN = Path(sys.executable).parent
KEY, OBJECTS = "console-demo", 12
LISTS = {
    "Assignment sources": "experiments/assignment_sources",
    "Qualifying events": "experiments/qualifying_events",
    "Entity property sources": "experiments/entity_properties",
    "Metric sources": "metrics/metric_source/list",
    "Metrics": "metrics/list",
}


class DemoFailed(Exception):
    """A command did otherwise than this demonstration promises."""


def say(text: str) -> None:
    """A heading between two steps."""
    print(f"\n# {text}", flush=True)


def run(command: str, *, expect: int = 0, last: int = 0) -> None:
    """Shows a command and its output, or the `last` lines of it; DemoFailed when it ends with another code."""
    print(f"\n$ {command}", flush=True)
    name, *arguments = command.split()
    words, out, err = [str(BIN / name), *arguments], subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(words, cwd=SHOP, stdout=out, stderr=err, encoding="utf-8", check=False)
    lines = done.stdout.splitlines()
    if last and done.returncode == expect and len(lines) > last:
        print(f"[{len(lines) - last} lines not shown]")
        lines = lines[-last:]
    print(*lines, sep="\n", flush=True)
    if done.returncode != expect:
        raise DemoFailed(f"`{command}` ended with {done.returncode}; expected was {expect}.")
    if expect:
        print(f"[exit code {expect}]")


def edit(path: str, *changes: tuple[str, str]) -> None:
    """Replaces text in a file of the copied project and shows the difference."""
    file = SHOP / path
    before = after = file.read_text(encoding="utf-8")
    for old, new in changes:
        after = after.replace(old, new)
        if before.count(old) != 1:
            raise DemoFailed(f"{path} holds {before.count(old)} times: {old}")
    file.write_text(after, encoding="utf-8")
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="", n=1)
    print("\n" + "\n".join(diff), flush=True)


def start_emulator(*more: str) -> tuple[subprocess.Popen[bytes], str]:
    """The emulator's process and its address; DemoFailed when it gives none within a minute."""
    arguments = ["emulator", "--port", "0", "--key", KEY, "--warehouse", "tea_shop.duckdb", *more]
    print(f"\n$ dbt-statsig {' '.join(arguments)} &", flush=True)
    log = SHOP.parent / "emulator.log"
    with log.open("wb") as stream:
        process = subprocess.Popen([BIN / "dbt-statsig", *arguments], cwd=SHOP, stdout=stream, stderr=stream)
    for _ in range(600):
        text = log.read_text(encoding="utf-8")
        if found := re.search(r"http://[\w.]+:\d+(?=\s)", text):
            print(text, end="", flush=True)
            return process, found[0]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    stop(process)
    raise DemoFailed(f"The emulator did not start.\n{log.read_text(encoding='utf-8')}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the emulator; by force when it does not go within ten seconds."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def show_console(address: str) -> dict[str, dict[str, object]]:
    """Prints what the console holds, asked over HTTP, and returns it by name."""
    held: dict[str, dict[str, object]] = {}
    for title, path in LISTS.items():
        url = f"{address}/console/v1/{path}?limit=100&page=1"
        request = urllib.request.Request(url, headers={"STATSIG-API-KEY": KEY})
        with urllib.request.urlopen(request, timeout=30) as answer:
            objects = json.load(answer)["data"]
        print(f"\n{title}")
        for source in objects:
            held[source["name"]] = source
            if (computed := source.get("warehouseNative")) is not None:
                print(f"\n  {source['name']}  {computed['aggregation']}")
                print(textwrap.indent(source["description"], "    "))
                continue
            units = ", ".join(f"{unit['statsigUnitID']}={unit['column']}" for unit in source["idTypeMapping"])
            print(f"\n  {source['name']}  [{', '.join(source.get('tags') or ())}]  {units}")
            fields = [f"{field['key']} = {field['formula']}" for field in source.get("customFieldMapping") or ()]
            query = source.get("sql") or f"table {source.get('tableName')}"
            print(textwrap.indent("\n".join([source["description"], *fields, "", query]), "    "))
    return held


def make_a_mistake() -> None:
    """Gives the reviews a second unit ID, with a misspelt column, and shows that the check finds it."""
    say("A new unit ID for the reviews; its column is misspelt.")
    edit(
        "models/shop/fct_reviews_v2.sql",
        ("customer_id as user_id,\n", "customer_id as user_id,\n    orders.device_id,\n"),
        ("as reviews\n", "as reviews\nleft join {{ ref('stg_orders') }} as orders using (order_id)\n"),
    )
    mapping = "timestamp_column: reviewed_at\n            id_type_mapping: {userID: user_id"
    edit("models/shop/_shop.yml", (mapping, f"{mapping}, stableID: devise_id"))
    run("dbt build --select fct_reviews", last=3)
    run("dbt docs generate", last=1)
    run("dbt-statsig validate --quiet", expect=1)


def mend_and_change() -> None:
    """Corrects the mistake, changes a description and a filter, and pushes just that."""
    say("Mended; a description and a filter change too.")
    edit(
        "models/shop/_shop.yml",
        ("stableID: devise_id", "stableID: device_id"),
        ("One row per paid order. Amounts are in euros.", "One row per paid order. Euros, without delivery."),
    )
    edit(
        "models/experiments/_experiments.yml",
        ("where: event_name = 'product_viewed'", "where: event_name in ('product_viewed', 'added_to_basket')"),
    )
    run("dbt docs generate", last=1)
    run("dbt-statsig plan --check", expect=3)
    run("dbt-statsig sync")
    run("dbt-statsig plan --check")


def tell(address: str) -> None:
    """All steps that need a console, in order."""
    print(f"\n$ export STATSIG_CONSOLE_API_KEY={KEY} DBT_STATSIG_BASE_URL={address}")
    os.environ.update(STATSIG_CONSOLE_API_KEY=KEY, DBT_STATSIG_BASE_URL=address)
    say("Does every column that the YAML names exist? Nothing but dbt's own files is read for this.")
    run("dbt-statsig validate --strict")
    say("What would change in Statsig?")
    run("dbt-statsig plan --check", expect=3)
    say("Write it; then there is nothing more to do.")
    run("dbt-statsig sync", last=15)
    run("dbt-statsig plan --check")
    make_a_mistake()
    mend_and_change()
    say("What the console has now, from its HTTP API.")
    held = show_console(address)
    for name, text in (("Product viewed", "added_to_basket"), ("Reviews", "device_id"), ("Orders", "delivery")):
        if len(held) != OBJECTS or text not in json.dumps(held[name]):
            raise DemoFailed(f'The console should hold {OBJECTS} objects, and "{text}" in "{name}".')


def play(
    opening: str,
    console: str,
    steps: Callable[[str], None],
    *,
    change: Callable[[], object] = lambda: None,
    seed: tuple[str, ...] = (),
) -> int:
    """The exit code: 0 when every step went as expected. `seed` are a command and what it gives the console."""
    os.environ.setdefault("FORCE_COLOR" if sys.stdout.isatty() else "NO_COLOR", "1")
    os.environ.setdefault("DBT_USE_COLORS", str("FORCE_COLOR" in os.environ))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(SHOP, ignore_errors=True)
    shutil.copytree(HERE, SHOP, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal", "__pycache__"))
    change()
    print("$ cd .demo/tea_shop")
    try:
        say(opening)
        run("dbt build", last=3)
        run("dbt docs generate", last=1)
        say(console)
        if seed:
            run(seed[0])
        process, address = start_emulator(*seed[1:])
        try:
            steps(address)
        finally:
            stop(process)
    except DemoFailed as failure:
        print(f"\nThe demonstration failed: {failure}", file=sys.stderr)
        return 1
    say("Done: everything went as expected.")
    return 0


if __name__ == "__main__":
    sys.exit(
        play(
            "A small tea shop on DuckDB, built by dbt.",
            "A console on this machine; it runs every query it is sent on the shop's tables.",
            tell,
        )
    )
