"""Tests of the process that has the parser ready: it answers as this one would, and its failure costs nothing."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import msgspec
import pytest

from dbt_statsig.columns import ahead, answering
from dbt_statsig.columns.ahead import Ahead
from dbt_statsig.columns.items import Shape
from dbt_statsig.columns.memory import Memory, memory_of
from dbt_statsig.columns.pipes import receive, send
from dbt_statsig.columns.questions import FaultsOf, ShapesOf
from dbt_statsig.columns.user_sql import SqlCheck
from tests.unit.columns.projects import get, model, names, prover, source

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.columns.questions import Question

linux = pytest.mark.skipif(sys.platform != "linux", reason="the process is started on Linux only")
TEXTS = tuple(f"with a as (select x{number}, y from t) select *, y + {number} as z from a" for number in range(40))
BROKEN = ("select from where", "select \0", "")


class Answered(Ahead):
    """A process ahead that is this one: it counts what it is asked."""

    def __init__(self) -> None:
        """Nothing is asked yet, and nothing is started."""
        super().__init__(0, io.BytesIO(), io.BytesIO())
        self.asked: list[Question] = []

    def ask(self, question: Question, kind: type[ahead.T]) -> ahead.T | None:
        """The true answer."""
        self.asked.append(question)
        return msgspec.msgpack.decode(answering.answer(question, processes=1), type=kind)


def in_a_process(code: str, **environ: str) -> str:
    """What a new Python prints that runs the code."""
    start = "from dbt_statsig.columns import ahead, answering\nfrom dbt_statsig.columns.questions import *\n"
    done = subprocess.run(
        [sys.executable, "-c", start + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environ},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def chain(process: Ahead | None, memory: Memory | None = None) -> Prover:
    """A source, and three models each of which selects all columns of the one before."""
    nodes = [source("events")]
    above = ('"shop"."raw"."events"', "source.shop.raw.events")
    for name in ("a", "b", "c"):
        nodes.append(model(name, f"select *, 1 as {name} from {above[0]}", above[1]))
        above = (f'"shop"."main"."{name}"', f"model.shop.{name}")
    return prover(*nodes, catalog={"source.shop.raw.events": ("id",)}, ahead=process, memory=memory)


def test_a_chain_is_read_wave_by_wave(tmp_path: Path) -> None:
    """The other process reads a model and the parents that its stars need; the answer is as without it."""
    process, memory = Answered(), Memory(tmp_path / "file")
    proof = chain(process, memory)
    proof.fetch([get(proof, "model.shop.c"), get(proof, "source.shop.raw.events")])
    assert [len(question.texts) for question in process.asked if isinstance(question, ShapesOf)] == [1, 1, 1]
    assert names(proof, "model.shop.c") == names(chain(None), "model.shop.c") == ("id", "a", "b", "c")
    assert len(process.asked) == 3
    again = Answered()
    proof = chain(again, memory)
    proof.fetch([get(proof, "model.shop.c")])
    assert names(proof, "model.shop.c") == ("id", "a", "b", "c")
    assert again.asked == []


def test_predicates_are_asked_there_too() -> None:
    """A predicate over a node, and a formula over a query's columns, are judged as they are here."""
    process = Answered()
    answers = []
    for proof in (chain(process), chain(None)):
        node = get(proof, "model.shop.a")
        query = proof.check_query(node, 'select id, a as of_a from "shop"."main"."a"', macros=frozenset())
        over_query = proof.check_predicate(node, "off_a + 1", macros=frozenset(), columns=query.columns)
        answers.append((proof.check_predicate(node, "idd > 1 and a = 2", macros=frozenset()), over_query))
    assert answers[0] == answers[1]
    assert [[problem.code for problem in check.problems] for check in answers[0]] == [["column-absent"]] * 2
    assert sum(isinstance(question, FaultsOf) for question in process.asked) == 2


@linux
def test_many_texts_are_read_by_several_processes() -> None:
    """Whatever the number of processes, the shapes are the same and in the order of the texts."""
    code = f"""
        question = ShapesOf(adapter="duckdb", texts={TEXTS + BROKEN!r} * 40)
        alone = answering.answer(question, processes=1)
        print([answering.answer(question, processes=number) == alone for number in (2, 3, 8)])
    """
    assert in_a_process(code).strip() == "[True, True, True]"


@linux
def test_a_lost_share_is_read_here() -> None:
    """A part that its process did not give is read by the one that asked for it."""
    code = f"""
        question = ShapesOf(adapter="duckdb", texts={TEXTS!r} * 20)
        alone = answering.answer(question, processes=1)
        answering._fork = lambda share: (open("/dev/null", "rb"), __import__("os").spawnlp(1, "true", "true"))
        print(answering.answer(question, processes=4) == alone)
    """
    assert in_a_process(code).strip() == "True"


@linux
def test_the_real_process(tmp_path: Path) -> None:
    """Started for a command, it answers; killed, it is not asked again; at the end there is no process left."""
    code = """
        import os, signal
        ahead.start_for(["validate"], os.environ)
        process = ahead.started()
        question = ShapesOf(adapter="duckdb", texts=("select 1 as x",))
        there, here = process.ask(question, tuple[Shape, ...]), question.answer()
        print(there == here)
        os.kill(process._process, signal.SIGKILL)
        print(process.ask(question, tuple[Shape, ...]), process.ask(question, tuple[Shape, ...]))
        ahead.end()
        print(ahead.started())
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            print("no child")
    """
    code = "from dbt_statsig.columns.items import Shape\n" + textwrap.dedent(code)
    told = in_a_process(code, XDG_CACHE_HOME=str(tmp_path))
    assert told.split("\n") == ["True", "None None", "None", "no child", ""]


@linux
@pytest.mark.parametrize(
    ("arguments", "remembers", "starts"),
    [
        (["validate"], False, True),
        (["plan", "--no-cache"], True, True),
        (["sync"], True, False),
        (["columns"], False, False),
        (["validate", "--help"], False, False),
        ([], False, False),
    ],
)
def test_when_it_is_started(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, remembers: bool, starts: bool
) -> None:
    """For commands that read SQL, unless earlier runs have kept what reading gave."""
    monkeypatch.setattr(ahead, "_start", Answered)
    monkeypatch.setattr(ahead, "_started", [])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    if remembers:
        kept = memory_of(tmp_path / "manifest.json", {"XDG_CACHE_HOME": str(tmp_path)})
        assert kept is not None
        kept.keep(b"key", 1)
        kept.save()
    ahead.start_for(arguments, {"XDG_CACHE_HOME": str(tmp_path)})
    assert (ahead.started() is not None) == starts


@linux
def test_not_with_one_processor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With one processor a second process would only be in the way; one that cannot be started is none."""
    monkeypatch.setattr(ahead, "_started", [])

    def refused() -> Ahead:
        raise BlockingIOError

    monkeypatch.setattr(ahead, "_start", refused)
    for processors in ({0}, {0, 1}):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, found=processors: found)
        ahead.start_for(["validate"], {"XDG_CACHE_HOME": str(tmp_path)})
        assert ahead.started() is None


def test_serve_until_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question has its answer; the end of the pipe, or of who reads, is the end."""
    ignored: list[int] = []
    monkeypatch.setattr(signal, "signal", lambda number, _: ignored.append(number))
    questions, answers = io.BytesIO(), io.BytesIO()
    shapes = ShapesOf(adapter="duckdb", texts=("select 1 as x",))
    faults = FaultsOf(adapter="duckdb", sql="x >", macros=frozenset(), tables=frozenset())
    for question in (shapes, faults):
        send(questions, msgspec.msgpack.encode(question))
    questions.seek(0)
    answering.serve(questions, answers)
    answers.seek(0)
    assert msgspec.msgpack.decode(receive(answers), type=tuple[Shape, ...]) == shapes.answer()
    assert msgspec.msgpack.decode(receive(answers), type=SqlCheck) == faults.answer()
    assert ignored == [signal.SIGINT]


@pytest.mark.parametrize("content", [b"", b"\0" * 7 + b"\x09short", b"\0" * 7 + b"\x01\xc1"])
def test_no_answer_is_none(content: bytes) -> None:
    """A pipe that ends, an answer cut off and one that is none are all the same: not answered, never asked again."""
    process = Ahead(0, io.BytesIO(), io.BytesIO(content * 2))
    question = ShapesOf(adapter="duckdb", texts=("select 1",))
    assert process.ask(question, tuple[Shape, ...]) is None
    assert process.ask(question, tuple[Shape, ...]) is None


def test_an_answer_belongs_to_its_question() -> None:
    """After an interrupt between question and answer nothing more is asked: the next answer would be the last one's."""

    class Interrupted(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

    process = Ahead(0, io.BytesIO(), Interrupted())
    question = ShapesOf(adapter="duckdb", texts=("select 1",))
    with pytest.raises(KeyboardInterrupt):
        process.ask(question, tuple[Shape, ...])
    assert process.ask(question, tuple[Shape, ...]) is None


def test_text_without_a_form_in_bytes() -> None:
    """A lone surrogate cannot be sent; it is read here, as unknown as ever."""
    process = Ahead(0, io.BytesIO(), io.BytesIO())
    assert process.ask(ShapesOf(adapter="duckdb", texts=("select '\ud800'",)), tuple[Shape, ...]) is None
