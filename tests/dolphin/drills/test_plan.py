"""The drills: in time, in order, tried again until seen, and not for ever."""

from typing import Any

import pytest
from msgspec.structs import replace

from dolphin.drills.__main__ import KNOWN, Prober
from dolphin.drills.plan import TRIES_MAX, Drill, Plan, drills
from dolphin.feed.market import plan as episodes_of
from dolphin.link.messages import Slot, Status
from dolphin.shell.snapshot import snapshot
from kernel.outcome import Reason
from kernel.state import initial_state, opening_ledger
from tests.dolphin.shell.conftest import LIMITS


def held(permit_kind: int) -> tuple[Slot, ...]:
    """Return slots of which the first holds a position."""
    empty = Slot(instrument=0, mark=0, quantity=0, cost=0, permit_kind=0)
    return (Slot(instrument=1, mark=5, quantity=-3, cost=9, permit_kind=permit_kind), *[empty] * 7)


def status(**changes: Any) -> Status:
    """Return a status in HIBERNATE, flat and quiet."""
    opening = snapshot(initial_state(LIMITS, opening_ledger(10**9), 0, 0))
    return replace(opening, **({"fence_confirmed": True} | changes))


def rows(profile: str = "bible") -> tuple[Drill, ...]:
    return drills(profile, episodes_of(0, 3_504, 60_000), 3_200, 304)


def test_names_are_distinct_and_every_after_is_a_row() -> None:
    names = [row.name for row in rows("specification")]
    assert len(names) == len(set(names))
    assert all(not row.after or row.after in names for row in rows("specification"))


def test_every_probe_is_a_method_of_the_prober() -> None:
    wanted = {row.name for row in rows("specification") if row.hand == "prober"}
    assert wanted | {"rest", "hold", "present_held", "release"} <= KNOWN
    assert all(callable(getattr(Prober, name)) for name in KNOWN)


def test_every_reason_that_a_session_can_meet_is_asked_for() -> None:
    """All but the two that do not apply, and those that the alpha's own asking shows."""
    asked = {reason for row in rows("specification") for reason in row.shows}
    missing = {reason.name for reason in Reason} - asked
    assert missing == {"MARKET_TIME_AHEAD"}
    assert "LIMIT_ONLY" not in {reason for row in rows("bible") for reason in row.shows}


def test_a_drill_waits_for_its_bar_its_condition_and_its_predecessor() -> None:
    plan = Plan(
        (
            Drill("first", "prober", 5, lambda now: now.posture == 1, "", ("A",)),
            Drill("second", "prober", 0, lambda _now: True, "first", ()),
        )
    )
    assert plan.due(4, status(posture=1)) == []
    assert plan.due(5, status(posture=0)) == []
    (first,) = plan.due(5, status(posture=1))
    plan.tried(first, 5, set(), "")
    assert [row.name for row in plan.due(6, status(posture=1))] == ["first"]
    plan.tried(first, 6, {"A", "B"}, "")
    assert [row.name for row in plan.due(6, status(posture=1))] == ["second"]
    assert plan.undone == ["second"]


def test_a_drill_is_not_tried_for_ever() -> None:
    plan = Plan((Drill("never", "prober", 0, lambda _now: True, "", ("A",)),))
    for _ in range(TRIES_MAX):
        (row,) = plan.due(0, status())
        plan.tried(row, 0, set(), "")
    assert plan.due(0, status()) == []
    assert plan.log[-1]["missing"] == ["A"]


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("early", {}, {"posture": 1}),
        ("turtle_ask", {"posture": 1}, {"posture": 1, "fence_confirmed": False}),
        ("fence_ask", {"posture": 2, "fence_confirmed": False}, {"fence_confirmed": False}),
        ("bounds", {"effective": 2}, {"effective": 1}),
        ("kill_desync", {"posture": 1}, {"posture": 1, "killed": True}),
        (
            "kill_operator",
            {"posture": 2, "slots": held(0)},
            {"posture": 2, "slots": held(2)},
        ),
        ("peak_reset", {}, {"flat": False}),
    ],
)
def test_conditions(name: str, yes: dict[str, Any], no: dict[str, Any]) -> None:
    row = next(row for row in rows() if row.name == name)
    assert row.when(status(**yes))
    assert not row.when(status(**no))
