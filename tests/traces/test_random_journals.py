"""Random event sequences through the kernel; all their journals to TLC in one batch.

A fifth of them by default, all with ``--campaigns=whole`` (``make check``).
"""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kernel import events
from kernel.constants import PPM, Posture, Profile
from kernel.events import Event
from kernel.outcome import Accepted
from kernel.state import State
from kernel.step import step
from tests.kernel.sessions import BTC_LOT, holding, limits_of, until
from tests.traces.samples import Step, header_of, walk, write
from traces.audit.judge import audit_journals
from traces.audit.rows import Mapper, Points, new_points
from traces.audit.tlc import CHUNK_ROWS, Batch, check
from traces.codec import DeltaEncoder, state_columns, unpack_record
from traces.schema import KINDS

EXAMPLES, SAMPLED = 150, 30

SMALL = st.integers(-1, 4)
ANY = st.one_of(
    SMALL, st.sampled_from((PPM, PPM + 1, 60_000, 60_001)), st.integers(-(2**70), 2**70)
)
PRICES = st.one_of(
    st.integers(BTC_LOT - 10**6, BTC_LOT + 10**6),
    st.sampled_from((0, 1, 10**11, 10**11 + 1, 2**63)),
)
LOTS = st.one_of(st.integers(1, 300), st.sampled_from((0, 10**6, 10**6 + 1, 2**64)))
QUANTITIES = st.tuples(*[st.one_of(st.just(0), SMALL, ANY)] * 8)


def field(kind: str, name: str) -> st.SearchStrategy[object]:
    """Values for one field: often what does something, sometimes anything at all."""
    if name in ("reduce_only", "market"):
        return st.booleans()
    if name == "quantities":
        return QUANTITIES
    if name in ("price", "limit_price"):
        return PRICES
    if name == "quantity":
        return LOTS
    if name == "side":
        return st.sampled_from((1, -1, 1, -1, 0, 2**40))
    if name == "leverage_ppm":
        return st.sampled_from((1, PPM, 2 * PPM, 6 * PPM, 6 * PPM + 1, 10**8 + 1, 0))
    if name == "worker":
        return st.sampled_from((0, 0, 0, 1, 7, 8, -1, 2**33))
    if name == "instrument":
        return st.sampled_from((0, 1, 1, 1, 2, 65_535, 65_536, -1))
    if name in ("operator", "reason"):
        return st.sampled_from((1, 7, 65_535, 65_536, 0, -1, 2**63))
    if name == "cause":
        return st.integers(0, 4)
    if name.endswith("_ppm"):
        return st.one_of(st.just(PPM), st.integers(0, PPM), ANY)
    return ANY


def event(draw: st.DrawFn, state: State) -> Event:
    """One event of any kind; clocks and epochs near the state's, so that they are not all stale."""
    kind = draw(st.sampled_from(KINDS))
    if kind.name == "AdvanceTime":
        gap = draw(st.sampled_from((0, 1, 999, 10_000, 30_001, -1, 2**31, 2**42)))
        return events.AdvanceTime(process_time_ms=state.clock.process_time_ms + gap)
    if kind.name == "CloseBar":
        gap = draw(st.sampled_from((999, 1_000, 60_000, 300_000, 300_001, 7_200_000, -1, 2**42)))
        return events.CloseBar(market_time_ms=state.clock.market_time_ms + gap)
    if kind.name == "ConfirmFence":
        return events.ConfirmFence(
            epoch=state.gate.fence_epoch + draw(SMALL.filter(lambda n: n != 4))
        )
    if kind.name == "ReconcileLedger" and draw(st.booleans()):
        held = tuple(slot.quantity for slot in state.gate.slots)
        return events.ReconcileLedger(cash=state.ledger.cash, quantities=held)  # type: ignore[arg-type]  # eight
    values = {one.name: draw(field(kind.name, one.name)) for one in kind.fields}
    return kind.event(**values)


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Profile, list[Step]]:
    """A healthy beginning of some length, then events of every kind."""
    profile = draw(st.sampled_from(Profile))
    state = header_of(profile).opening_state()
    steps: list[Step] = []
    for before, one, outcome in walk(draw(st.integers(0, 2**16)), draw(st.integers(0, 400)), state):
        steps.append((before, one, outcome))
        state = outcome.state if isinstance(outcome, Accepted) else before
    for _ in range(draw(st.integers(1, 12))):
        one = event(draw, state)
        outcome = step(state, one)
        steps.append((state, one, outcome))
        state = outcome.state if isinstance(outcome, Accepted) else state
    return profile, steps


def mapped(number: int, steps: list[Step], points: Points) -> Mapper:
    """A session's last steps as rows: its own events, and a few of the beginning."""
    tail = steps[-20:]
    fold = DeltaEncoder(tail[0][0])
    mapper = Mapper(number, state_columns(tail[0][0]), points, CHUNK_ROWS)
    mapper.chunks[0].opening = len(tail) == len(steps)
    for sequence, (_, one, outcome) in enumerate(tail, start=1):
        mapper.take(unpack_record(sequence, fold.body(one, outcome)))
    return mapper


@pytest.mark.req("AUD-009")
@pytest.mark.random
@pytest.mark.slow
@pytest.mark.campaign
def test_the_model_allows_what_the_kernel_does_whatever_it_is_told(whole: bool) -> None:
    examples = EXAMPLES if whole else SAMPLED
    points = new_points()
    found: dict[Profile, list[Mapper]] = {profile: [] for profile in Profile}
    told: list[list[Step]] = []

    @settings(
        max_examples=examples,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(sessions())
    def gather(session: tuple[Profile, list[Step]]) -> None:
        profile, steps = session
        found[profile].append(mapped(len(told), steps, points))
        told.append(steps[-20:])

    gather()
    batches = [
        Batch(limits_of(profile), tuple(m.chunks[0] for m in mappers), points)
        for profile, mappers in found.items()
        if mappers
    ]
    answer = check(batches)
    seen = {(type(e).__name__, isinstance(o, Accepted)) for steps in told for _, e, o in steps}
    assert len(told) >= examples
    assert len(seen) > 30, "the sequences were too tame to show anything"
    assert [
        (told[one.place.journal][one.place.record - 1][1:], one) for one in answer.rejections
    ] == []


@pytest.mark.req("AUD-009", "AUD-010")
def test_a_hostile_order_does_not_stop_the_audit(tmp_path: Path) -> None:
    # 10^6 lots at 10^11 micro-USDT are 10^11 USDT, beyond TLC's 32 bits: any worker may ask for it.
    header = header_of()
    state = header.opening_state()
    steps = list(walk(40, 900, state, 0.0))
    final = steps[-1][0]
    huge = [
        events.RequestOrder(
            worker=worker, instrument=instrument, side=side, reduce_only=False, market=price == 0,
            quantity=10**6, limit_price=price, leverage_ppm=PPM,
        )
        for worker in range(8)
        for instrument in (worker + 1,)
        for side in (1, -1)
        for price in (0, 10**11, 2_147_483_647)
    ]  # fmt: skip
    steps = steps[:-1] + [(final, one, step(final, one)) for one in huge]
    path = write(tmp_path / "a.journal", header, steps)
    audit = audit_journals([path])
    assert audit.not_run == ""
    assert audit.answer("conformant") is True


@pytest.mark.req("AUD-009", "KRN-GATE-039", "KRN-FENCE-007")
def test_a_flatten_is_renewed_by_a_close_and_by_a_fence() -> None:
    # Kind 3 stays 3, and yet the step has the effect: the three ways a flatten is issued.
    state = holding(until(Posture.APEX))
    steps: list[Step] = []
    for one in (
        events.TripKillSwitch(cause=3, operator=1, reason=1),
        events.ConfirmFence(epoch=state.gate.fence_epoch + 1),
        events.CloseOrder(worker=0),
        events.RestartKernel(),
        events.ConfirmFence(epoch=state.gate.fence_epoch + 2),
        events.ConfirmFence(epoch=state.gate.fence_epoch + 2),
    ):
        outcome = step(state, one)
        steps.append((state, one, outcome))
        state = outcome.state if isinstance(outcome, Accepted) else state
    flattened = [isinstance(o, Accepted) and o.effects.flatten_positions for _, _, o in steps]
    assert flattened == [False, True, True, False, True, False]
    points = new_points()
    mapper = mapped(0, steps, points)
    mapper.chunks[0].opening = False
    batch = Batch(limits_of(), tuple(mapper.chunks), points)
    assert check([batch]).rejections == ()


def test_pairs_of_the_walk_are_consecutive() -> None:
    # What the samples rest on: a step begins where the one before it ended.
    for (before, _, outcome), (after, _, _) in pairwise(
        walk(1, 300, header_of().opening_state(), 0.2)
    ):
        assert after is (outcome.state if isinstance(outcome, Accepted) else before)
