"""The packaged help."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import pytest

from dbt_statsig import __version__, cli
from dbt_statsig.cli import main
from dbt_statsig.cli.group import COMMANDS, group

HELP_FILE = Path(cli.__file__).with_name("help.txt")
ROUNDS = 15


def test_module() -> None:
    """`python -m dbt_statsig` is the command."""
    command = [sys.executable, "-m", "dbt_statsig", "--version"]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == f"dbt-statsig {__version__}\n"


def test_help_for_a_reader_that_went_away() -> None:
    """`dbt-statsig --help | true` ends without a complaint."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "dbt_statsig", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


BASH = """
eval "$(_DBT_STATSIG_COMPLETE=bash_source dbt-statsig)"
COMP_WORDS=({words}); COMP_CWORD={place}
_dbt_statsig_completion dbt-statsig
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = """
_DBT_STATSIG_COMPLETE=fish_source dbt-statsig | source
complete -C "{words}"
"""
ZSH = """
autoload -Uz compinit && compinit -D
compadd() {{ printf '%s\\n' ${{(P)@[-1]}} }}
_describe() {{ printf '%s\\n' ${{(P)3%%:*}} }}
eval "$(_DBT_STATSIG_COMPLETE=zsh_source dbt-statsig)"
words=({words}); CURRENT=$(({place} + 1))
_dbt_statsig_completion
"""


@pytest.mark.parametrize(("shell", "script"), [("bash", BASH), ("fish", FISH), ("zsh", ZSH)])
def test_shell_completion(shell: str, script: str) -> None:
    """Commands, options and findings are completed, in the shell itself."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for words, wanted in {
        "dbt-statsig val": "validate",
        "dbt-statsig plan --sta": "--state",
        "dbt-statsig explain column-abs": "column-absent",
    }.items():
        asked = script.format(words=words, place=len(words.split()) - 1)
        done = subprocess.run([program, "-c", asked], capture_output=True, check=False, text=True, env=environment)
        offered = [line.split("\t")[0].split(":")[0] for line in done.stdout.splitlines()]
        assert wanted in offered, (done.stdout, done.stderr)


def test_unknown_command_is_none() -> None:
    """The group knows its own commands only."""
    assert group.get_command(click.Context(group), "nonsense") is None


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help is what one gets without arguments too, and no failure: the packaged text, which docs/generate.py writes."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
    assert capsys.readouterr().out == HELP_FILE.read_text(encoding="utf-8")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` gives the name and the version."""
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"dbt-statsig {__version__}\n"


def test_other_arguments_go_to_the_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else is run as a command; without arguments of its own, `main` takes those of the process."""
    monkeypatch.setattr(sys, "argv", ["dbt-statsig", "nonsense"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    """Every command has a help text, and so has each of its options."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.help
    assert [
        parameter.name for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help
    ] == []


@pytest.mark.parametrize("module", ["click", "msgspec", "httpx", "sqlglot", "dbt", "yaml", "jinja2"])
def test_help_imports_nothing(module: str) -> None:
    """`--help` is answered without importing any library."""
    code = (
        "import sys\nfrom dbt_statsig.cli import main\ntry:\n    main(['--help'])\n"
        f"except SystemExit:\n    sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_heavy_libraries_wait(tmp_path: object) -> None:
    """Importing every command's module imports neither HTTP, nor SQL, nor dbt, nor the server."""
    code = (
        "import sys, importlib\nfrom dbt_statsig.cli.group import COMMANDS\n"
        "for name in COMMANDS:\n    importlib.import_module('dbt_statsig.cli.' + name)\n"
        "print([m for m in ('httpx', 'sqlglot', 'dbt', 'yaml', 'jinja2', 'uvicorn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_help_starts_fast() -> None:
    """`--help` takes under three times what a bare Python start takes (medians of runs side by side)."""
    bare: list[float] = []
    helped: list[float] = []
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    for _ in range(ROUNDS):
        for times, arguments in ((bare, ["-c", "pass"]), (helped, ["-m", "dbt_statsig", "--help"])):
            started = perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, env=environ)
            times.append(perf_counter() - started)
    ratio = median(helped) / median(bare)
    print(f"--help: {ratio:.2f} x a bare start")  # noqa: T201 - shown with pytest -s
    assert ratio < 3
