"""CrossHair on small seeded kernels: what it must find, and how its results are reported.

The seeded functions stand in a copy of ``kernel/`` and take a ``State``, so what is shown is also
that CrossHair makes one. A worker starts in one to three seconds; there are five.
"""

import shutil
from pathlib import Path

import pytest

from verify.crosshair.conditions import Condition, Contracted, contracted_functions
from verify.crosshair.item import (
    FULL,
    answers,
    figures_of,
    forecast,
    lane_of,
    recall,
    run,
    run_worker,
)
from verify.crosshair.report import (
    CONFIRMED,
    NOT_CONFIRMED,
    VIOLATED,
    Verdict,
    judge,
    judge_result,
)
from verify.item import DOES_NOT_HOLD, FAST, HOLDS, Context
from verify.store import Store

ROOT = Path(__file__).resolve().parents[3]

SEEDED = '''"""Seeded."""
from kernel.contracts import ensure_part, require_part
from kernel.state import State


@ensure_part(lambda state, result: result == state.killswitch.grid_members + 1)
def right(state: State) -> int:
    """A true promise over a whole state."""
    return 1 + state.killswitch.grid_members


@ensure_part(lambda result: result != 77)
def wrong(state: State) -> int:
    """A false promise that a single value of one field shows."""
    return state.survival.book_jitter_ms


@require_part(lambda lots: lots > 0)
@ensure_part(lambda result: result > 0)
def callee(lots: int) -> int:
    """Ask for something."""
    return lots


@ensure_part(lambda result: result >= 0)
def caller(state: State) -> int:
    """Break what the callee asks for, when the kernel is killed."""
    return callee(0) if state.killswitch.killed else callee(1)


@require_part(lambda state: state.machine.bars_below == 3)
@ensure_part(lambda result: result == 4)
def narrow(state: State) -> int:
    """True only where the precondition holds."""
    return state.machine.bars_below + 1
'''


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the real kernel's types and the seeded contracts alone."""
    place = tmp_path_factory.mktemp("seeded")
    (place / "kernel").mkdir()
    for name in ("__init__", "constants", "contracts", "state"):
        shutil.copy(ROOT / "kernel" / f"{name}.py", place / "kernel" / f"{name}.py")
    (place / "kernel" / "seeded.py").write_text(SEEDED)
    return place


def context(root: Path, lane: str, told: list[str] | None = None) -> Context:
    lines = told if told is not None else []
    return Context(
        lane, root, Store(root / "store"), lambda done, total, what: lines.append(what), jobs=2
    )


@pytest.fixture(scope="module")
def verdicts(root: Path) -> dict[str, Verdict]:
    functions = [
        one for one in contracted_functions(root / "kernel") if one.module == "kernel.seeded"
    ]
    documents = answers(context(root, FULL), functions)
    callers = {"kernel.seeded.callee": frozenset({"kernel.seeded.caller"})}
    found = judge(functions, documents, callers)
    return {
        f"{one.condition.function} {one.condition.kind} {one.condition.number}": one
        for one in found
    }


def test_a_true_promise_over_a_state_is_confirmed(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["right ensure 1"].status == CONFIRMED
    assert verdicts["callee ensure 1"].status == CONFIRMED


def test_control_a_false_promise_over_a_state_has_its_counterexample(
    verdicts: dict[str, Verdict],
) -> None:
    found = verdicts["wrong ensure 1"]
    assert found.status == VIOLATED
    assert "wrong(State(" in found.reason
    assert "77" in found.reason


def test_control_a_broken_precondition_is_told_of_both(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["caller ensure 1"].status == VIOLATED
    assert verdicts["callee require 1"].status == VIOLATED
    assert verdicts["callee require 1"].reason.startswith("kernel.seeded.caller breaks it")


def test_a_precondition_is_assumed(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["narrow ensure 1"].status == CONFIRMED
    required = verdicts["narrow require 1"]
    assert (required.status, required.reason) == (
        NOT_CONFIRMED,
        "its callers are outside the kernel",
    )


def test_an_answer_stays_with_its_condition_where_the_file_shifts(
    root: Path, verdicts: dict[str, Verdict]
) -> None:
    path = root / "kernel" / "seeded.py"
    text = path.read_text()
    try:
        path.write_text(text.replace('"""Seeded."""', '"""Seeded.\n\nAnd told.\n"""'))
        told: list[str] = []
        functions = contracted_functions(root / "kernel")
        found = judge(functions, answers(context(root, FULL, told), functions), {})
    finally:
        path.write_text(text)
    assert told == ["kept"]
    statuses = {(one.condition.function, one.condition.kind): one.status for one in found}
    assert statuses["right", "ensure"] == CONFIRMED
    assert statuses["wrong", "ensure"] == statuses["callee", "require"] == VIOLATED


def test_a_second_run_starts_nothing(root: Path, verdicts: dict[str, Verdict]) -> None:
    told: list[str] = []
    functions = contracted_functions(root / "kernel")
    kept = answers(context(root, FULL, told), functions)
    assert told == ["kept"]
    assert set(kept) == {one.name for one in functions}


def test_control_the_item_does_not_hold_and_names_the_place(
    root: Path, verdicts: dict[str, Verdict]
) -> None:
    outcome = run(context(root, FULL))
    assert outcome.status == DOES_NOT_HOLD
    (line,) = [line for line in outcome.findings if "wrong ensure 1" in line]
    assert line.startswith("kernel/seeded.py:12: kernel.seeded.wrong ensure 1: result != 77: false")
    assert outcome.figures["violated"] == len(outcome.findings) == 3
    total = outcome.figures["confirmed"] + outcome.figures["violated"]  # type: ignore[operator]  # ints
    listed = outcome.figures["not_confirmed"]
    assert outcome.figures["conditions"] == total + len(listed)  # type: ignore[arg-type]  # a list


def test_the_fast_lane_tries_plain_numbers_and_says_what_it_left_out(root: Path) -> None:
    place = Context(FAST, root, Store(root / "other"), lambda done, total, what: None)
    functions = contracted_functions(root / "kernel")
    assert [one.function for one in functions if lane_of(one) == FAST] == ["callee"]
    outcome = run(place)
    assert outcome.status == HOLDS
    assert outcome.figures["confirmed"] == 1
    reasons = [one["reason"] for one in outcome.figures["not_confirmed"]]  # type: ignore[attr-defined]  # a list
    assert reasons.count("not tried in the fast lane") == 4


def test_a_worker_that_dies_confirms_nothing(root: Path) -> None:
    condition = Condition("kernel.seeded", "absent", "ensure", 1, "result", 1, 0)
    one = Contracted("kernel.seeded", "absent", (condition,), ("int",), frozenset(), "0")
    document = run_worker(root, one, 1.0)
    assert "the worker ended with 1: AttributeError" in document["error"]
    (verdict,) = judge([one], {one.name: document}, {})
    assert verdict.status == NOT_CONFIRMED


RESULTS = (
    ("CONFIRMED", True, "Confirmed over all paths.", CONFIRMED, ""),
    ("POST_FAIL", False, "false when calling f(1)", VIOLATED, "false when calling f(1)"),
    ("EXEC_ERR", False, "IndexError: when calling f(9)", VIOLATED, "IndexError: when calling f(9)"),
    ("EXEC_ERR", False, "NotDeterministic: two ways", NOT_CONFIRMED, "unsupported: NotDeter"),
    ("PRE_UNSAT", False, "Unable to meet", NOT_CONFIRMED, "no input that meets the precondition"),
    ("PRE_UNSAT", True, "Unable to meet", NOT_CONFIRMED, "no input meets the precondition: the c"),
    ("CANNOT_CONFIRM", False, "Not confirmed.", NOT_CONFIRMED, "time was up: 9 paths in 2.5 s"),
    ("CANNOT_CONFIRM", True, "Not confirmed.", NOT_CONFIRMED, "on some of 9 paths the solver"),
    ("SYNTAX_ERR", False, "no", NOT_CONFIRMED, "unsupported: no"),
)


@pytest.mark.parametrize(("state", "exhausted", "message", "status", "reason"), RESULTS)
def test_each_answer_has_one_meaning(
    state: str, exhausted: bool, message: str, status: str, reason: str
) -> None:
    result = {
        "offset": 0, "state": state, "message": message, "paths": 9, "seconds": 2.5,
        "exhausted": exhausted,
    }  # fmt: skip
    found = judge_result(result)
    assert found[0] == status
    assert found[1].startswith(reason)


def answer(state: str, offset: int = 1) -> dict[str, object]:
    return {"offset": offset, "state": state, "message": "", "paths": 1, "seconds": 1.0,
            "exhausted": state == "CONFIRMED"}  # fmt: skip


def small(name: str, *kinds: str) -> Contracted:
    conditions = tuple(
        Condition("kernel.m", name, kind, 1, "text", line, line)
        for line, kind in enumerate(kinds, 1)
    )
    return Contracted("kernel.m", name, conditions, ("int",), frozenset(), "0")


def test_a_condition_that_crosshair_does_not_see_is_not_confirmed() -> None:
    one = small("f", "require", "ensure")
    document = {"results": [answer("CONFIRMED", offset=9)], "required": 0, "error": ""}
    reasons = [verdict.reason for verdict in judge([one], {one.name: document}, {})]
    assert reasons == ["its callers are outside the kernel", "CrossHair did not see this condition"]


@pytest.mark.parametrize(
    ("callers", "state", "status", "reason"),
    [
        (("kernel.m.g",), "CONFIRMED", CONFIRMED, ""),
        (("kernel.m.g",), "CANNOT_CONFIRM", NOT_CONFIRMED, "kernel.m.g calls it and is itself not"),
        (("kernel.m.h",), "CONFIRMED", NOT_CONFIRMED, "kernel.m.h calls it and has no contract"),
        ((), "CONFIRMED", NOT_CONFIRMED, "its callers are outside"),
    ],
)
def test_a_duty_is_confirmed_by_all_callers(
    callers: tuple[str, ...], state: str, status: str, reason: str
) -> None:
    f, g = small("f", "require"), small("g", "ensure")
    documents = {
        f.name: {"results": [answer("CONFIRMED", offset=-1)], "required": 1, "error": ""},
        g.name: {"results": [answer(state)], "required": 0, "error": ""},
    }
    found = judge([f, g], documents, {f.name: frozenset(callers)})[0]
    assert found.status == status
    assert found.reason.startswith(reason)


def test_an_answer_that_ran_out_of_time_serves_for_no_more_time(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("late", {"seconds": 1.0, "document": {"results": [answer("CANNOT_CONFIRM")]}})
    store.put("sure", {"seconds": 1.0, "document": {"results": [answer("CONFIRMED")]}})
    assert recall(store, "late", 1.0) is not None
    assert recall(store, "late", 8.0) is None
    assert recall(store, "sure", 8.0) is not None
    assert recall(store, "none", 1.0) is None


def test_a_forecast_grows_with_the_conditions() -> None:
    few, many = [small("f", "ensure")], [small("f", "ensure"), small("g", "ensure")]
    assert 0 < forecast(few, FULL, 1) < forecast(many, FULL, 1)
    assert forecast(many, FULL, 2) < forecast(many, FULL, 1)


def test_figures_count_each_condition_once() -> None:
    condition = small("f", "ensure").conditions[0]
    figures = figures_of(
        [Verdict(condition, CONFIRMED), Verdict(condition, NOT_CONFIRMED, "why")], 1
    )
    assert figures["conditions"] == 2
    assert figures["confirmed"] == 1
    assert figures["not_confirmed"] == [{"condition": condition.name, "reason": "why"}]
