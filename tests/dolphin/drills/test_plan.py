"""The drills: in time, in order, tried again until seen, and not for ever."""

from typing import Any

import pytest

from dolphin.drills.__main__ import DRILLS, Prober
from dolphin.drills.plan import TRIES_MAX, Drill, Plan, drills
from dolphin.feed.market import plan as episodes_of
from kernel.outcome import Reason


def status(**changes: Any) -> dict[str, Any]:
    """Return a status in HIBERNATE, flat and quiet."""
    return {
        "posture": 0,
        "effective": 0,
        "fence_confirmed": True,
        "killed": False,
        "flat": True,
        "operator_request": 0,
        "slots": [[0, 0, 0, 0, 0]] * 8,
    } | changes


def rows(profile: str = "bible") -> tuple[Drill, ...]:
    return drills(profile, episodes_of(0, 3_504, 60_000), 3_200, 304)


def test_names_are_distinct_and_every_after_is_a_row() -> None:
    names = [row.name for row in rows("specification")]
    assert len(names) == len(set(names))
    assert all(not row.after or row.after in names for row in rows("specification"))


def test_every_probe_is_a_method_of_the_prober() -> None:
    wanted = {row.name for row in rows("specification") if row.hand == "prober"}
    assert wanted | {"rest", "hold", "present_held", "release"} <= DRILLS
    assert all(callable(getattr(Prober, name)) for name in DRILLS)


def test_every_reason_that_a_session_can_meet_is_asked_for() -> None:
    """All but the two that do not apply, and those that the alpha's own asking shows."""
    asked = {reason for row in rows("specification") for reason in row.shows}
    missing = {reason.name for reason in Reason} - asked
    assert missing == {"MARKET_TIME_AHEAD"}
    assert "LIMIT_ONLY" not in {reason for row in rows("bible") for reason in row.shows}


def test_a_drill_waits_for_its_bar_its_condition_and_its_predecessor() -> None:
    plan = Plan(
        (
            Drill("first", "prober", 5, lambda now: now["posture"] == 1, "", ("A",)),
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
            {"posture": 2, "slots": [[1, 5, -3, 9, 0], *[[0] * 5] * 7]},
            {"posture": 2, "slots": [[1, 5, -3, 9, 2], *[[0] * 5] * 7]},
        ),
        ("peak_reset", {}, {"flat": False}),
    ],
)
def test_conditions(name: str, yes: dict[str, Any], no: dict[str, Any]) -> None:
    row = next(row for row in rows() if row.name == name)
    assert row.when(status(**yes))
    assert not row.when(status(**no))
