"""Plans as files: what they hold, what they refuse, and what is left of them later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig import __version__
from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.planning.matching import Scope
from dbt_statsig.planning.saved_plan import Reconciled, binding_of, check_savable, load, reconcile, request_from, save
from dbt_statsig.project.request import Request
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.kinds import MetricSource
from dbt_statsig.vocabulary.results import Binding, ObjectOutcome, Outcome, Planned, Status, Validation
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.planning.test_matching import wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOP = Scope(project="shop")
BINDING = Binding(project="shop", target="prod", base_url="https://x.example", declared=(("a", "d"),), settings="s")
VALIDATION = Validation(
    project="shop", adapter="duckdb", dbt_version="1.11", manifest_path="m", sources=(), findings=()
)
LIVE = MetricSource(name="Orders", sql="select 1", tags=("b", "a"))
NOT_AS_SEEN = "Statsig changed after the plan was made"
EDITED = "The object was edited in Statsig after the plan was made."
REQUEST = Request(project_dir=Path())


def change(action: Action = Action.UPDATE, name: str = "Orders", **fields: Any) -> Change:
    """A change of one metric source."""
    desired = None if action is Action.DELETE else MetricSource(name=name, sql="select 2")
    live = None if action is Action.CREATE else structs.replace(LIVE, name=name)
    values = {"desired": desired, "live": live, "live_name": "" if live is None else name, "unique_id": "model.shop.o"}
    return Change(action=action, kind=Kind.METRIC_SOURCE, name=name, **{**values, **fields})


def planned(*changes: Change, binding: Binding | None = BINDING) -> Planned:
    """A plan as `plan` gives it back."""
    return Planned(validation=VALIDATION, plan=Plan(project="shop", changes=changes), requests=1, binding=binding)


def saved(folder: Path, changes: Sequence[Change], request: Request = REQUEST) -> Path:
    """The file of a plan."""
    path = folder / "sync.plan"
    save(planned(*changes), request, path)
    return path


def rest(folder: Path, old: Sequence[Change], new: Sequence[Change]) -> Reconciled:
    """What is left of an old plan when a new one is made."""
    return reconcile(load(saved(folder, old)), planned(*new))


def test_what_is_unchanged_is_ready(tmp_path: Path) -> None:
    """A change that a new plan would make just so is written."""
    changes = [change(), change(Action.CREATE, "New"), change(Action.DELETE, "Old")]
    left = rest(tmp_path, changes, changes)
    assert (left.plan.changes, left.settled, left.notes) == (tuple(changes), (), ())


def test_a_byte_order_mark_before_the_plan(tmp_path: Path) -> None:
    """A plan that an editor has saved with a byte order mark is the same plan."""
    path = saved(tmp_path, [change()])
    plain = load(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path) == plain


def test_a_preview_has_what_would_be_written(tmp_path: Path) -> None:
    """Of the new plan a preview keeps what is ready and what is no write; what is settled comes as outcomes."""
    ready, same, new = change(), change(Action.UNCHANGED, "Same"), change(Action.CREATE, "New")
    edited = change(name="Edited", live=structs.replace(LIVE, name="Edited", sql="select 9"))
    now = planned(ready, same, new, edited)
    preview = reconcile(load(saved(tmp_path, [ready, change(name="Edited")])), now).preview(now)
    assert preview.planned == structs.replace(now, plan=Plan(project="shop", changes=(ready, same)))
    assert [(entry.change.name, entry.status) for entry in preview.outcome.objects] == [("Edited", Status.REFUSED)]
    assert preview.outcome.notes == ("Changes that are not in the saved plan were skipped: 1. Plan again to see them.",)


def test_order_and_blanks_are_no_edit(tmp_path: Path) -> None:
    """A live object that the server only rearranged is as it was."""
    now = change(live=structs.replace(LIVE, tags=("a", "b"), sql="select  1\n"))
    assert rest(tmp_path, [change()], [now]).plan.changes == (now,)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (change(live=structs.replace(LIVE, sql="select 9")), EDITED),
        (change(live=structs.replace(LIVE, team="growth")), EDITED),
        (change(adopted=True), EDITED),
        (change(Action.CREATE), f"{NOT_AS_SEEN}: this object would now be created."),
        (change(Action.RENAME), f"{NOT_AS_SEEN}: this object would now be renamed."),
        (change(Action.DELETE), f"{NOT_AS_SEEN}: this object would now be deleted."),
        (change(Action.FOREIGN), f"{NOT_AS_SEEN}: this object would now be refused as not managed by this project."),
        (change(Action.ORPHAN), f"{NOT_AS_SEEN}: this object would now be reported as no longer declared."),
        (change(Action.BLOCKED), f"{NOT_AS_SEEN}: this object would now be blocked."),
        (None, f"{NOT_AS_SEEN}: nothing remains to do."),
    ],
)
def test_what_changed_is_refused(tmp_path: Path, now: Change | None, words: str) -> None:
    """Whatever became of the object, its change is refused with the reason; the others stay ready."""
    other = change(name="Other")
    left = rest(tmp_path, [change(), other], [other] if now is None else [now, other])
    assert left.plan == Plan(project="shop", changes=(other,))
    bare = Change(
        action=Action.UPDATE, kind=Kind.METRIC_SOURCE, name="Orders", unique_id="model.shop.o", live_name="Orders"
    )
    assert left.settled == (
        ObjectOutcome(
            change=bare if now is None else structs.replace(now, action=Action.UPDATE),
            status=Status.REFUSED,
            message=words,
            fix="Plan again and compare.",
        ),
    )


def test_what_is_done_already_is_done(tmp_path: Path) -> None:
    """A plan that was applied in part can be applied again: what is there counts as done, unsent."""
    old = [change(), change(Action.DELETE, "Old")]
    left = rest(tmp_path, old, [change(Action.UNCHANGED)])
    assert [(entry.change.name, entry.status) for entry in left.settled] == [
        ("Orders", Status.DONE),
        ("Old", Status.DONE),
    ]
    assert {entry.message for entry in left.settled} == {"Already applied: nothing was sent."}
    assert [(entry.change.action, entry.already) for entry in left.settled] == [
        (Action.UPDATE, True),
        (Action.DELETE, True),
    ]
    assert left.plan.changes == ()


def test_unchanged_for_another_payload_is_refused(tmp_path: Path) -> None:
    """An object that agrees with another payload than the plan's is not what was planned."""
    now = change(Action.UNCHANGED, desired=MetricSource(name="Orders", sql="select 3"))
    assert [entry.status for entry in rest(tmp_path, [change()], [now]).settled] == [Status.REFUSED]


def test_what_is_new_is_left(tmp_path: Path) -> None:
    """Changes that the saved plan does not hold are not written, and are reported."""
    left = rest(tmp_path, [change()], [change(), change(Action.DELETE, "Old"), change(Action.ORPHAN, "Older")])
    assert [one.name for one in left.plan.changes] == ["Orders"]
    assert left.notes == ("Changes that are not in the saved plan were skipped: 1. Plan again to see them.",)


@pytest.mark.parametrize("field", ["project", "target", "base_url", "declared", "settings"])
def test_bound_to_its_inputs(tmp_path: Path, field: str) -> None:
    """A plan for another project, target, console, state of the project or settings is refused as a whole."""
    plan = load(saved(tmp_path, [change()]))
    now = structs.replace(BINDING, **{field: (("a", "other"),) if field == "declared" else "other"})
    with pytest.raises(UsageError, match="Nothing was written"):
        reconcile(plan, planned(change(), binding=now))


def test_the_file_holds_no_payload(tmp_path: Path) -> None:
    """Neither SQL nor anything else of the objects is in the file, and only its owner may read it."""
    path = saved(tmp_path, [change()])
    assert "select 2" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_an_edited_file_does_nothing_that_a_plan_would_not(tmp_path: Path) -> None:
    """A deletion written into the file by hand is refused, as no plan holds it."""
    path = saved(tmp_path, [change()])
    content = json.loads(path.read_text())
    content["changes"][0] |= {"action": "delete", "desired": ""}
    path.write_text(json.dumps(content))
    left = reconcile(load(path), planned(change()))
    assert (left.plan.changes, [entry.status for entry in left.settled]) == ((), [Status.REFUSED])


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"tool": "terraform"}, "not a saved plan"),
        ({"schema_version": 1}, "form 1"),
        ({"version": "99.0"}, "99.0"),
        ({"changes": [{}]}, "damaged"),
        ({"more": 1}, "damaged"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, edit: dict[str, Any], words: str) -> None:
    """A foreign, newer or damaged file gives one message with the next step."""
    path = saved(tmp_path, [change()])
    path.write_text(json.dumps(json.loads(path.read_text()) | edit))
    with pytest.raises(UsageError, match=words) as caught:
        load(path)
    assert "plan --out" in caught.value.fix


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 9999, b"null", b"{}"])
def test_files_that_are_no_plan(tmp_path: Path, content: bytes) -> None:
    """What is no plan at all gives the same."""
    path = tmp_path / "sync.plan"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a saved plan"):
        load(path)


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there gives the system's reason."""
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "no.plan")


def test_a_huge_file(tmp_path: Path) -> None:
    """A file beyond all measure is not read."""
    path = tmp_path / "sync.plan"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(UsageError, match="too large"):
        load(path)


def read_again(path: Path, now: Planned) -> Reconciled | UsageError:
    """What is left of the plan in a file, or why there is nothing."""
    try:
        return reconcile(load(path), now)
    except UsageError as error:
        return error


@given(
    cut=st.integers(0, 1500),
    gap=st.integers(0, 3),
    junk=st.binary(max_size=8) | st.text("0123456789abcdef", max_size=2).map(str.encode),
)
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_writes_nothing_new(tmp_path: Path, cut: int, gap: int, junk: bytes) -> None:
    """Whatever is cut out of a file or written into it: a UsageError, or only what is still as saved is written."""
    now = planned(change(), change(Action.CREATE, "New"))
    whole = saved(tmp_path, [change()])
    content = whole.read_bytes()
    path = tmp_path / "damaged.plan"
    path.write_bytes(content[:cut] + junk + content[cut + gap :])
    left = read_again(path, now)
    if isinstance(left, UsageError):
        assert "plan --out" in left.fix
    elif load(path).changes == load(whole).changes:
        assert (left.plan.changes, left.settled) == ((change(),), ())
    else:
        assert (left.plan.changes, [one.status for one in left.settled]) == ((), [Status.REFUSED])


def test_the_scope_is_kept(tmp_path: Path) -> None:
    """What the plan was asked for is asked for again."""
    request = structs.replace(
        REQUEST, select=("a+",), kinds=frozenset({Kind.METRIC_SOURCE}), adopt=frozenset({"X"}), prune=True, force=True
    )
    plan = load(saved(tmp_path, [], request))
    assert request_from(REQUEST, plan) == request


def test_the_nodes_that_dbt_chose_are_kept(tmp_path: Path) -> None:
    """A selection that dbt resolved is kept as its result."""
    request = structs.replace(REQUEST, selected=frozenset({"model.shop.b", "model.shop.a"}))
    assert request_from(REQUEST, load(saved(tmp_path, [], request))) == request


def test_options_of_ones_own_are_refused(tmp_path: Path) -> None:
    """A saved plan cannot be widened or narrowed when it is applied."""
    plan = load(saved(tmp_path, []))
    own: dict[str, Any] = {
        "select": ("x",),
        "exclude": ("x",),
        "selector": "x",
        "kinds": frozenset({Kind.METRIC_SOURCE}),
        "adopt": frozenset({"x"}),
        "adopt_all": True,
        "prune": True,
        "force": True,
    }
    options = "--select, --exclude, --selector, --kind, --adopt, --adopt-all, --prune, --force"
    with pytest.raises(UsageError) as caught:
        request_from(structs.replace(REQUEST, **own), plan)
    assert caught.value.message == f"{options} cannot be combined with --plan: a saved plan has its own."
    assert caught.value.fix == "Give these options to `plan --out`."


@pytest.mark.parametrize("field", [{"select": ("state:new",)}, {"results": {}}, {"run_results": Path("x")}])
def test_what_cannot_be_saved(field: dict[str, Any]) -> None:
    """A plan that follows a dbt command's results has a scope that no file can repeat."""
    with pytest.raises(UsageError, match="cannot be saved"):
        check_savable(structs.replace(REQUEST, **field))


def test_what_can_be_saved() -> None:
    """An ordinary plan can."""
    check_savable(REQUEST)


def test_a_plan_by_hand_is_not_saved(tmp_path: Path) -> None:
    """A plan that is has no binding is the caller's mistake."""
    with pytest.raises(ValueError, match="has no binding"):
        save(planned(binding=None), REQUEST, tmp_path / "x")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Where the file cannot be written, one error says so."""
    with pytest.raises(DbtStatsigError, match="could not be written"):
        save(planned(), REQUEST, tmp_path / "no" / "x")


def test_outcomes_are_joined_in_order() -> None:
    """Outcomes that needed no writing stand among the others, by kind and name."""
    made = [ObjectOutcome(change=change(name=name), status=Status.DONE) for name in ("b", "A", "c")]
    event = ObjectOutcome(change=structs.replace(change(name="z"), kind=Kind.QUALIFYING_EVENT), status=Status.REFUSED)
    rest = Reconciled(plan=Plan(project="shop", changes=()), settled=(made[1], event), notes=("n",))
    with_outcome = rest.with_outcome(Outcome(objects=(made[0], made[2]), notes=("first",)))
    assert [entry.change.name for entry in with_outcome.objects] == ["z", "A", "b", "c"]
    assert with_outcome.notes == ("first", "n")


def test_the_binding_follows_what_matters() -> None:
    """Another payload, a block, a name or a rule changes the binding; the order of declarations does not."""
    first, second = wanted("A", "a"), wanted("B", "b")
    base = binding_of(SHOP, "prod", Settings(), [first, second])
    assert binding_of(SHOP, "prod", Settings(), [second, first]) == base
    assert binding_of(SHOP, "prod", Settings(concurrency=3), [first, second]) == base
    slash = Settings(base_url=f"{Settings().base_url}/")
    assert binding_of(SHOP, "prod", slash, [first, second]) == base
    others = [
        binding_of(SHOP, "prod", Settings(), [first]),
        binding_of(SHOP, "prod", Settings(), [first, wanted("B", "b", sql="SELECT 2")]),
        binding_of(SHOP, "prod", Settings(), [first, structs.replace(second, blocked="x")]),
        binding_of(SHOP, "prod", Settings(respect_review_settings=True), [first, second]),
        binding_of(SHOP, "dev", Settings(), [first, second]),
        binding_of(Scope(project="shop", namespace="eu"), "prod", Settings(), [first, second]),
    ]
    assert len({base, *others}) == len(others) + 1
    assert __version__


def test_a_plan_by_hand_is_bound_to_nothing(tmp_path: Path) -> None:
    """A new plan that is has no binding is compared change by change all the same."""
    left = reconcile(load(saved(tmp_path, [change()])), planned(change(), binding=None))
    assert left.plan.changes == (change(),)
