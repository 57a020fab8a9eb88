"""Items are run, kept and summed up so that nothing not run ever counts as held."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from dolphin.commands.verify import shown
from tests.tidy.findings import ROOT
from verify import plan
from verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
)
from verify.running import (
    SECTIONS,
    Verified,
    document,
    forecast,
    kept,
    run_item,
    summed,
)
from verify.store import Store, key_of, sha256_of_files


def item(run: Callable[[Context], Outcome], name: str = "one") -> Item:
    return Item(name, "a claim", "proofs", ("*.txt",), {FAST: 5.0, FULL: 50.0}, run)


def holds(context: Context) -> Outcome:
    return Outcome(HOLDS, "all", {"functions": 3}, ())


def silent(done: int, total: int, what: str) -> None:
    """Take progress and say nothing."""


def verified(*states: str) -> list[Verified]:
    return [
        Verified(item(holds, f"i{place}"), Outcome(state, ""), 0.0, "", False, "")
        for place, state in enumerate(states)
    ]


def test_what_held_is_kept_until_an_input_changes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    store = Store(tmp_path / "store")
    one = item(holds)
    assert kept(store, one, FAST, tmp_path) is None
    run_item(one, FAST, tmp_path, store, silent)
    found = kept(store, one, FAST, tmp_path)
    assert found is not None
    assert found.cached
    assert found.outcome == Outcome(HOLDS, "all", {"functions": 3}, ())
    assert kept(store, one, FULL, tmp_path) is None, "another lane asks another question"
    (tmp_path / "a.txt").write_text("b")
    assert kept(store, one, FAST, tmp_path) is None
    (tmp_path / "a.txt").write_text("a")
    assert kept(store, one, FAST, tmp_path) is not None
    (tmp_path / "b.txt").write_text("")
    assert kept(store, one, FAST, tmp_path) is None, "a file that came is a changed input"


@pytest.mark.parametrize("state", [DOES_NOT_HOLD, NOT_RUN])
def test_control_what_did_not_hold_is_never_kept(state: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    one = item(lambda context: Outcome(state, "no"))
    assert run_item(one, FAST, tmp_path, store, silent).outcome.status == state
    assert kept(store, one, FAST, tmp_path) is None
    assert forecast(store, one, FAST) == 5.0, "a failure forecasts nothing"


def test_an_item_that_breaks_is_not_run_and_says_where(tmp_path: Path) -> None:
    def breaks(context: Context) -> Outcome:
        raise RuntimeError("two\nlines")

    found = run_item(item(breaks), FAST, tmp_path, Store(tmp_path / "store"), silent)
    assert found.outcome.status == NOT_RUN
    assert "test_running.py" in found.outcome.detail
    assert "RuntimeError: two lines" in found.outcome.detail


def test_a_forecast_is_what_was_measured_last(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    one = item(holds)
    assert forecast(store, one, FULL) == 50.0
    run_item(one, FULL, tmp_path, store, silent)
    assert 0 <= forecast(store, one, FULL) < 50.0
    assert forecast(store, one, FAST) == 5.0


def test_without_a_terminal_each_tenth_is_told_once_and_a_new_part_from_its_start() -> None:
    said = io.StringIO()
    with shown(Console(file=said, width=100), item(holds), 60.0) as tell:
        for done in (1, 19, 20, 20):
            tell(done, 20, "first")
        tell(1, 10, "second")
    assert said.getvalue().splitlines() == [
        "one: 19 of 20: first",
        "one: 20 of 20: first",
        "one: 1 of 10: second",
    ]


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ((HOLDS, HOLDS), HOLDS),
        ((HOLDS, NOT_RUN), NOT_RUN),
        ((NOT_RUN, DOES_NOT_HOLD), DOES_NOT_HOLD),
        ((HOLDS, DOES_NOT_HOLD), DOES_NOT_HOLD),
        ((), NOT_RUN),
    ],
)
def test_the_sum_is_as_good_as_the_worst(states: tuple[str, ...], whole: str) -> None:
    assert summed(verified(*states)) == whole
    told = document(FAST, verified(*states), whole=True)
    assert told["ok"] is (whole == HOLDS)
    assert told["status"] == whole


def test_a_section_without_figures_says_that_it_was_not_run() -> None:
    told = document(FULL, verified(HOLDS), whole=True)
    for section in SECTIONS:
        figures = told[section]
        assert isinstance(figures, dict)
        assert set(figures) == {"not_run"}
    json.dumps(told)


def test_two_items_of_a_section_give_their_figures_together() -> None:
    first = Verified(item(holds, "a"), Outcome(HOLDS, "", {"code": 1}), 0.0, "", False, "")
    second = Verified(item(holds, "b"), Outcome(HOLDS, "", {"spec": 2}), 0.0, "", False, "")
    assert document(FULL, [first, second], whole=True)["proofs"] == {"code": 1, "spec": 2}


def test_a_store_takes_what_it_cannot_read_for_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("key", {"a": 1})
    assert store.get("key") == {"a": 1}
    (tmp_path / "key.json").write_text("{")
    assert store.get("key") is None
    assert store.below("x").get("key") is None


def test_a_hash_is_over_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    first = sha256_of_files(tmp_path, ("*.txt",))
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert sha256_of_files(tmp_path, ("*.txt",)) != first
    assert sha256_of_files(tmp_path, ("*.txt", "b.*")) == sha256_of_files(tmp_path, ("b.txt",))
    assert key_of("a", 1) != key_of("a", 2)


def test_every_module_with_an_item_is_in_the_plan() -> None:
    found = set()
    for path in (ROOT / "verify").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "\nITEM = " in text or "\nITEMS = " in text or "\nITEMS: " in text:
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.add(".".join(part for part in parts if part != "__init__"))
    assert set(plan.MODULES) == found


@pytest.mark.parametrize("lane", plan.LANES)
def test_items_have_names_of_their_own_and_inputs_that_exist(lane: str) -> None:
    listed = plan.items(lane)
    assert len({one.name for one in listed}) == len(listed)
    for one in listed:
        assert one.seconds[lane] > 0
        for pattern in one.inputs:
            generated = pattern.startswith("build/")
            assert generated or any(ROOT.glob(pattern)), f"{one.name}: {pattern} matches nothing"


def test_an_unknown_item_is_named_with_the_nearest() -> None:
    with pytest.raises(plan.UnknownItem, match=r"--only rock: .* did you mean rocq"):
        plan.chosen(FAST, ("rock",))
    assert [one.name for one in plan.chosen(FAST, ("rocq",))] == ["rocq"]
