"""Records in a lane: taken for a run where they are fresh, compared with one where it was done."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from dolphin.commands.verify import leave
from tests.tidy.findings import ROOT
from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context, Item, Outcome
from verify.plan import LANES, items
from verify.records import (
    CHECKOUT,
    Recorded,
    RecordsUnreadable,
    compared,
    make,
    recorded,
    rows_that_differ,
)
from verify.running import RECORDED, RUN_HERE, Verified, at_no_cost, document, settled
from verify.store import Store

RAN = {"at": "2026-11-30T12:00:00+00:00", "commit": "0123456789abcdef"}


def told(state: str = "recorded", status: str = HOLDS, why: str = "", **compare: Any) -> Recorded:
    """Return the record of an item, of a state and with figures to compare."""
    record = {"status": status, "detail": "all", "findings": [], "ran": RAN}
    fresh = state == "recorded" and status == HOLDS
    return Recorded("one", state, why, "", fresh, {"edges": 7}, compare, record)


def item(samples: bool = False) -> Item:
    """Return an item that must not be run."""

    def run(context: Context) -> Outcome:
        raise AssertionError("it was run")

    return Item("one", "a claim", "models", ("*.txt",), {FAST: 1.0, FULL: 9.0}, run, samples)


def ran(outcome: Outcome, samples: bool = False, whole: bool = False) -> Verified:
    """Return an outcome of a run here."""
    return Verified(item(samples), outcome, 1.0, "", False, "", whole=whole)


def test_the_fast_lane_takes_a_fresh_record_for_a_run_and_says_so(tmp_path: Path) -> None:
    found = at_no_cost(Store(tmp_path), item(), FAST, tmp_path, told())
    assert found is not None
    assert (found.basis, found.outcome.status, found.outcome.detail) == (RECORDED, HOLDS, "all")
    assert "certification/records/one.json (2026-11-30T12:00, 012345678)" in found.record
    row = document(FAST, [settled(found, FAST, told())], True)["items"]
    assert isinstance(row, list)
    assert (row[0]["basis"], row[0]["record"]) == (RECORDED, found.record)


@pytest.mark.parametrize("state", ["stale", "recorded in part", "no record"])
def test_control_no_other_record_stands_for_a_run(state: str, tmp_path: Path) -> None:
    assert at_no_cost(Store(tmp_path), item(), FAST, tmp_path, told(state)) is None
    assert at_no_cost(Store(tmp_path), item(), FAST, tmp_path, told(status=DOES_NOT_HOLD)) is None


def test_the_full_lane_takes_no_record_for_a_run(tmp_path: Path) -> None:
    assert at_no_cost(Store(tmp_path), item(), FULL, tmp_path, told()) is None


def test_a_sample_that_held_is_no_whole() -> None:
    held = ran(Outcome(HOLDS, "14 of 368 proved"), samples=True)
    found = settled(held, FAST, told("stale", why="recorded 2026-11-30 for other inputs"))
    assert (found.outcome.status, found.basis) == (NOT_RUN, "stale")
    assert found.outcome.detail == (
        "14 of 368 proved; this is a sample, of the rest recorded 2026-11-30 for other inputs"
    )
    assert settled(held, FAST, None).outcome.status == NOT_RUN
    wrong = ran(Outcome(DOES_NOT_HOLD, "one is not"), samples=True)
    assert settled(wrong, FAST, told()).outcome.status == DOES_NOT_HOLD
    whole = ran(Outcome(HOLDS, "all"), samples=True, whole=True)
    assert settled(whole, FAST, None).outcome.status == HOLDS, "kept here, of the full lane"


def test_a_run_that_agrees_with_its_record_is_as_it_was() -> None:
    outcome = Outcome(HOLDS, "x", {"edges": 7})
    assert compared(outcome, told(edges=7)) == outcome
    assert settled(ran(outcome), FULL, told(edges=7)).basis == RUN_HERE


@pytest.mark.parametrize(
    ("outcome", "record", "said"),
    [
        (Outcome(HOLDS, "x", {"edges": 8}), told(edges=7), "edges: the record says 7, this run 8"),
        (Outcome(HOLDS, "x", {"a": {"b": 1}}), told(**{"a.b": 2}), "a.b: the record says 2"),
        (Outcome(DOES_NOT_HOLD, "x"), told(), "the record says 'holds', this run 'does not hold'"),
        (Outcome(HOLDS, "x"), told(status=DOES_NOT_HOLD), "this run 'holds'"),
    ],
)
def test_a_forged_record_is_found_by_the_run_and_both_are_named(
    outcome: Outcome, record: Recorded, said: str
) -> None:
    found = compared(outcome, record)
    assert found.status == DOES_NOT_HOLD
    assert "differs from its record" in found.detail
    assert "certification/records/one.json" in found.findings[0]
    assert said in found.findings[0]
    assert settled(ran(outcome), FULL, record).outcome == found


@pytest.mark.parametrize("state", ["stale", "recorded in part", "no record"])
def test_a_record_of_other_inputs_contradicts_nothing(state: str) -> None:
    outcome = Outcome(HOLDS, "x", {"edges": 8})
    assert compared(outcome, told(state, edges=7)) == outcome
    assert compared(Outcome(NOT_RUN, "no coqc"), told(edges=7)).status == NOT_RUN


def test_a_selection_stands_beside_what_the_lane_left_before(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "full.json"
    named = {name: dataclasses.replace(item(), name=name) for name in ("a", "b")}

    def lane(*names: str) -> dict[str, object]:
        ran_items = [
            Verified(named[name], Outcome(HOLDS, name, {"n": len(names)}), 1.0, "", False, "")
            for name in names
        ]
        return document(FULL, ran_items, whole=len(names) == 2)

    leave(path, lane("a"), whole=False)
    leave(path, lane("a", "b"), whole=True)
    leave(path, lane("b"), whole=False)
    told = json.loads(path.read_text("utf-8"))
    assert [(row["name"], row["figures"]) for row in told["items"]] == [
        ("a", {"n": 2}), ("b", {"n": 1})
    ]  # fmt: skip
    assert told["whole"] is False


def test_a_row_of_a_check_that_differs_from_its_record_is_named_with_both() -> None:
    row = {"result": "success", "distinct": 1234, "generated": 9, "diameter": 3}
    forged = {"MCGate": row | {"distinct": 1235}, "MCElse": row}
    record = dataclasses.replace(told("recorded in part"), figures={"rows": forged})
    assert rows_that_differ({"MCGate": row}, record) == (
        "MCGate: distinct is 1,234, on record it is 1,235 (certification/records/one.json "
        "(2026-11-30T12:00, 012345678)): one of them is false",
    )
    assert rows_that_differ({"MCElse": row, "MCNew": row}, record) == ()
    assert "TypeOK, on record success" in rows_that_differ(
        {"MCElse": row | {"result": "TypeOK"}}, record
    )[0]  # fmt: skip
    stale = dataclasses.replace(record, figures={})
    assert rows_that_differ({"MCGate": row}, stale) == (), "of other models"


def test_the_judge_is_asked_of_every_item_of_every_lane() -> None:
    found = recorded(ROOT)
    assert set(found) == {one.name for lane in LANES for one in items(lane)}


def test_records_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "certification" / "records"
    folder.mkdir(parents=True)
    (folder.parent / "inputs.toml").write_text('[item.one]\nfiles = ["*.py"]\n', "utf-8")
    (folder / "one.json").write_text("{}", "utf-8")
    with pytest.raises(RecordsUnreadable, match=r"one\.json: field 'schema' is missing"):
        recorded(tmp_path, ["one"])


def test_a_file_that_is_no_items_record_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "certification" / "records"
    folder.mkdir(parents=True)
    (folder.parent / "inputs.toml").write_text('[item.one]\nfiles = ["*.py"]\n', "utf-8")
    assert set(recorded(tmp_path)) == {"one"}
    (folder / "two.json").write_text("{}", "utf-8")
    with pytest.raises(RecordsUnreadable, match=r"records/two\.json: not the record of any item"):
        recorded(tmp_path, ["one"])


def test_what_a_checkout_keeps_is_read_by_its_own_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "asked.json"
    gather = tmp_path / "gather.py"
    gather.write_text(
        "import json, os, sys\n"
        "told = [os.getcwd(), os.environ['PYTHONPATH'], sys.argv[1:]]\n"
        f"json.dump(told, open({str(asked)!r}, 'w'))\n"
        "json.dump({'command': '', 'items': []}, sys.stdout)\n",
        "utf-8",
    )
    of = tmp_path / "of"
    (of / "verify").mkdir(parents=True)
    for name in CHECKOUT:
        assert make(ROOT, of, ["rocq"], gather) == 2
        assert capfd.readouterr().err == (
            f"dolphin verify: --from {of}: not a checkout of this project, it has no {name}; "
            "expected .git and verify/plan.py in it\n"
        )
        assert not asked.exists()
        (of / name).touch()
    assert make(ROOT, of, ["rocq"], gather) == 1
    assert json.loads(asked.read_text("utf-8")) == [str(of), str(of), ["rocq"]]
    said = capfd.readouterr().err
    assert f"rocq: not recorded: {of} keeps no outcome of it" in said
