"""What a checkout has finished is read whole, in part, or not at all; nothing is run for it."""

from pathlib import Path

from verify.gather import held_of, is_whole, when_and_how_long
from verify.item import FAST, FULL, HOLDS, Context, Item, Outcome
from verify.running import run_item
from verify.store import Store


def item(samples: bool) -> Item:
    def run(context: Context) -> Outcome:
        return Outcome(HOLDS, context.lane)

    return Item("one", "a claim", "models", ("*.txt",), {FAST: 1.0, FULL: 9.0}, run, samples)


def test_a_fast_lane_that_decides_is_as_good_as_the_full_one(tmp_path: Path) -> None:
    for samples, wanted in ((False, FAST), (True, None)):
        store = Store(tmp_path / str(samples))
        one = item(samples)
        assert held_of(one, store, tmp_path) is None
        run_item(one, FAST, tmp_path, store, lambda done, total, what: None)
        held = held_of(one, store, tmp_path)
        assert (None if held is None else held.outcome.detail) == wanted
        run_item(one, FULL, tmp_path, store, lambda done, total, what: None)
        held = held_of(one, store, tmp_path)
        assert held is not None
        assert held.outcome.detail == FULL


def test_control_what_lacks_a_verdict_is_no_whole() -> None:
    def of(name: str, **figures: object) -> bool:
        return is_whole(name, Outcome(HOLDS, "", figures))

    assert of("models", runs=155, of=155)
    assert not of("models", runs=154, of=155)
    assert of("mutants-code", code={"undecided": 0})
    assert not of("mutants-code", code={"undecided": 1})
    assert not of("spec-mutants", spec={"undecided": 1})
    assert not of("proofs", functions=3, proved=3), "the controls are not among what is kept"


def test_the_time_of_a_part_is_that_of_its_last_result(tmp_path: Path) -> None:
    rows = {"a": {"ran_at": "2026-11-30T12:00:00+00:00", "seconds": 1.25},
            "b": {"ran_at": "2026-11-30T12:30:00+00:00", "seconds": 2.5}}  # fmt: skip
    found = when_and_how_long(Outcome(HOLDS, "", {"rows": rows}), tmp_path)
    assert found == ("2026-11-30T12:30:00+00:00", 3.8)
    Store(tmp_path / "below").put("key", 1)
    when, seconds = when_and_how_long(Outcome(HOLDS, ""), tmp_path)
    assert when.startswith("20")
    assert seconds is None
