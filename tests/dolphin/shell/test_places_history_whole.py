"""A history of everything twice, a status figure by figure, and words of who is no operator.

Not here: the history of a shell and of a journal (``test_core_rest.py``).
"""

from dataclasses import replace

import pytest

from dolphin.shell.history import History
from dolphin.shell.snapshot import causes, factors
from kernel.constants import PPM, Posture, Profile, Status
from kernel.events import CloseBar, ConfirmFence, Event, RequestOrder, TripKillSwitch
from kernel.outcome import Accepted, no_effects
from kernel.slots import put
from kernel.state import State, initial_state, opening_ledger
from kernel.survival import microstructure, structural
from tests.dolphin.shell.conftest import LIMITS, Rig

TRIP = TripKillSwitch(cause=3, operator=1, reason=1)
ORDER = RequestOrder(
    worker=2, instrument=1, side=1, reduce_only=False, market=True, quantity=1, limit_price=0,
    leverage_ppm=PPM,
)  # fmt: skip


def opening(profile: Profile = Profile.BIBLE) -> State:
    return initial_state(replace(LIMITS, profile=profile), opening_ledger(10**9), 80, 70)


def in_posture(state: State, posture: Posture) -> State:
    return replace(state, machine=replace(state.machine, posture=posture))


def killed(state: State) -> State:
    """Killed by a late heartbeat of one partition and by an operator, two positions open."""
    ages = (31_000, 1, 2, 3)
    now = replace(state.killswitch, killed=True, latched_operator=True, heartbeat_age_ms=ages)
    slots = put(state.gate.slots, 0, replace(state.gate.slots[0], quantity=1))
    slots = put(slots, 4, replace(slots[4], quantity=-5))
    return replace(state, killswitch=now, gate=replace(state.gate, slots=slots))


def told(*steps: tuple[State, Event, State, bool]) -> dict[str, object]:
    """The account after these steps: before, event, after, whether it flattens."""
    history = History()
    for before, event, after, flattens in steps:
        effects = replace(no_effects(), flatten_positions=flattens)
        history.see(before, event, Accepted(state=after, effects=effects))
    return history.account()


@pytest.mark.req("SHL-035")
def test_what_happens_twice_is_counted_twice() -> None:
    state = in_posture(opening(), Posture.APEX)
    low = in_posture(state, Posture.STALKER)
    shut = replace(ORDER, reduce_only=True)
    fence = ConfirmFence(epoch=1)
    bar = CloseBar(market_time_ms=1)
    found = told(
        *[(state, ORDER, state, False)] * 2,
        *[(state, shut, state, False)] * 3,
        *[(state, bar, low, False)] * 2,
        *[(low, TRIP, killed(low), False)] * 2,
        *[(low, fence, low, True)] * 2,
    )
    assert found["counts"] == {
        "events": 11, "RequestOrder": 5, "entries": 2, "entries_worker_2": 2, "exits": 3,
        "CloseBar": 2, "demotions": 2, "TripKillSwitch": 2, "trips": 2, "ConfirmFence": 2,
        "flattens": 2,
    }  # fmt: skip
    one_trip = {
        "market_time_ms": 70, "process_time_ms": 80, "event": "TripKillSwitch",
        "causes": ["HEARTBEAT", "OPERATOR"], "posture_before": "STALKER", "positions_open": 2,
        "heartbeat_age_ms": [31_000, 1, 2, 3],
    }  # fmt: skip
    assert found["trips"] == [one_trip] * 2
    assert found["marks"] == [
        *[{"market_time_ms": 70, "kind": "trip", "text": "HEARTBEAT+OPERATOR"}] * 2,
        *[{"market_time_ms": 70, "kind": "flatten", "text": "flatten"}] * 2,
    ]
    assert sorted(found) == ["counts", "marks", "refusals", "trips"]


@pytest.mark.req("SHL-024")
def test_causes_are_named_as_in_the_report() -> None:
    assert causes(opening()) == []
    assert causes(killed(opening())) == ["HEARTBEAT", "OPERATOR"]


@pytest.mark.req("SHL-024")
@pytest.mark.parametrize("profile", list(Profile), ids=[each.name.lower() for each in Profile])
def test_the_factors_are_the_profiles(profile: Profile) -> None:
    state = opening(profile)
    half = replace(
        state.survival, forewarner_status=Status.OK, forewarner_age_ms=400_000,
        depth_quality_ppm=PPM // 2, book_age_ms=1_000,
    )  # fmt: skip
    state = replace(state, survival=half)
    other = Profile.BIBLE if profile == Profile.SPECIFICATION else Profile.SPECIFICATION
    stale_ms = state.limits.book_stale_ms
    assert structural(half, profile) != structural(half, other), "the two differ here"
    assert microstructure(half, profile, stale_ms) != microstructure(half, other, stale_ms)
    shown = factors(state)
    assert shown["structural_ppm"] == structural(half, profile)
    assert shown["micro_ppm"] == microstructure(half, profile, stale_ms)
    assert shown["cat1_ppm"] == PPM
    assert factors(killed(state))["cat1_ppm"] == 0


@pytest.mark.req("SHL-008")
def test_only_an_operators_words_are_taken_out_of_what_he_says() -> None:
    rig = Rig()
    said = rig.say("alpha", "RecordHeartbeat", partition=0, who=1)
    assert (said["ok"], said["reason"]) == (False, "UNREADABLE")
    assert rig.say("alpha", "RecordHeartbeat", partition=0)["ok"] is True
