"""Every name under which a reader finds a part of the state; the causes and the factors.

Not here: what the other parts are worth (``test_core.py``).
"""

from dataclasses import replace

import pytest

from dolphin.link.messages import Slot
from dolphin.shell.snapshot import causes, factors, snapshot
from kernel.constants import PPM, Profile, Status
from kernel.curves import environment_bible, environment_specification
from kernel.slots import put
from kernel.state import State, initial_state, opening_ledger
from kernel.survival import microstructure, structural
from tests.dolphin.shell.conftest import LIMITS
from tests.dolphin.shell.test_history import killed

NAMES = [
    "market_time_ms", "process_time_ms", "posture", "effective", "multiplier_ppm", "target_ppm",
    "cat1_ppm", "structural_ppm", "micro_ppm", "environment_ppm", "capital_ppm", "killed",
    "causes", "operator_request", "operator_request_age_ms", "journal_writable", "fence_epoch",
    "fence_confirmed", "flat", "ceiling", "cash", "equity", "capital", "equity_peak",
    "drawdown_ppm", "fees", "open_notional", "reserved_notional", "slots",
]  # fmt: skip


def opening(profile: Profile = Profile.BIBLE) -> State:
    return initial_state(replace(LIMITS, profile=profile), opening_ledger(7), 1, 2)


@pytest.mark.req("SHL-024")
def test_a_snapshot_names_its_parts() -> None:
    shown = snapshot(opening())
    assert list(shown.__struct_fields__) == NAMES
    assert (shown.open_notional, shown.reserved_notional, shown.cash) == (0, 0, 7)


@pytest.mark.req("SHL-024")
def test_a_snapshot_shows_each_slot_by_the_names_of_its_fields() -> None:
    state = opening()
    slots = put(
        state.gate.slots,
        3,
        replace(state.gate.slots[3], instrument=2, mark=5, quantity=-4, cost=-20, permit_kind=1),
    )
    shown = snapshot(replace(state, gate=replace(state.gate, slots=slots)))
    assert len(shown.slots) == 8
    assert shown.slots[3] == Slot(instrument=2, mark=5, quantity=-4, cost=-20, permit_kind=1)
    assert shown.slots[0] == Slot(instrument=0, mark=0, quantity=0, cost=0, permit_kind=0)


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
        depth_quality_ppm=PPM // 2, book_age_ms=1_000, shock_age_ms=600_000,
    )  # fmt: skip
    state = replace(state, survival=half)
    other = Profile.BIBLE if profile == Profile.SPECIFICATION else Profile.SPECIFICATION
    stale_ms = state.limits.book_stale_ms
    assert structural(half, profile) != structural(half, other), "the two differ here"
    assert microstructure(half, profile, stale_ms) != microstructure(half, other, stale_ms)
    assert environment_bible(600) != environment_specification(600)
    shown = factors(state)
    assert shown["structural_ppm"] == structural(half, profile)
    assert shown["micro_ppm"] == microstructure(half, profile, stale_ms)
    curve = environment_specification if profile == Profile.SPECIFICATION else environment_bible
    assert shown["environment_ppm"] == curve(600)
    assert shown["cat1_ppm"] == PPM
    assert factors(killed(state))["cat1_ppm"] == 0
