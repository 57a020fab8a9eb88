"""What a body may say and what it may not: each check of the codec, one case each."""

import dataclasses
import struct
from typing import cast

import pytest

from kernel.constants import Pending, Permit, Posture, Status
from kernel.events import (
    AdvanceTime,
    Event,
    ReconcileLedger,
    RecordHeartbeat,
    ReportShock,
    RequestOrder,
)
from kernel.outcome import Accepted, Effects, Reason, Refused
from kernel.state import Ages, Slots, State
from tests.kernel.sessions import fresh, limits_of
from traces.codec import (
    DeltaEncoder,
    Malformed,
    canonical,
    effect_bits,
    event_fields,
    limits_bytes,
    make_event,
    pack_record,
    row_digest,
    state_columns,
    state_of,
    unpack_record,
)
from traces.schema import COLUMN_BY_NAME, COLUMNS, KIND_BY_NAME, Field, Kind

DIGEST = bytes(range(16))
TICK = AdvanceTime(process_time_ms=5)
VIEW = ReconcileLedger(cash=3, quantities=(1, 2, 3, 4, 5, 6, 7, 8))
WIDE = RequestOrder(
    worker=2**70, instrument=1, side=1, reduce_only=True, market=False, quantity=1,
    limit_price=0, leverage_ppm=1,
)  # fmt: skip
NAMES = ["cash", "quantities"]


def refused_body(body: bytes) -> str:
    """What is said of a body that no writer writes."""
    with pytest.raises(Malformed) as caught:
        unpack_record(7, body)
    return str(caught.value)


@pytest.mark.req("JNL-002", "JNL-010")
@pytest.mark.parametrize("event", [TICK, VIEW, WIDE, ReportShock()], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("changes", [[], [0, 5], [0, 5, len(COLUMNS) - 1, -(2**63)]])
def test_a_record_comes_back_whole(event: Event, changes: list[int]) -> None:
    record = unpack_record(7, pack_record(event, 0, 5, DIGEST, changes))
    assert (record.sequence, record.event, record.kind.name) == (7, event, type(event).__name__)
    assert (record.reason, record.effects, record.digest) == (0, 5, DIGEST)
    assert record.changes == tuple(zip(changes[::2], changes[1::2], strict=True))


@pytest.mark.req("JNL-002")
def test_every_reason_comes_back() -> None:
    for reason in Reason:
        assert unpack_record(1, pack_record(TICK, reason, 0, DIGEST, [])).reason == reason


SOUND = pack_record(TICK, 0, 0, DIGEST, [0, 5])
VIEWED = pack_record(VIEW, 0, 0, DIGEST, [])
LONG = pack_record(WIDE, 1, 0, DIGEST, [])
TEXT = canonical(event_fields(WIDE))


def wide(text: bytes) -> bytes:
    """The wide body with other fields."""
    return LONG[:4] + len(text).to_bytes(2, "little") + text + LONG[-17:]


BODIES: list[tuple[bytes, str]] = [
    (SOUND[:3], "an event record of 3 bytes"),
    (bytes([99]) + SOUND[1:], "no event has code 99"),
    (SOUND[:1] + b"\2" + SOUND[2:], "wide is 2; expected 0 or 1"),
    (SOUND[:28], "AdvanceTime in 28 bytes; expected 29 or more"),
    (SOUND[:2] + b"\x63" + SOUND[3:], "no reason has code 99"),
    (SOUND[:3] + b"\x08" + SOUND[4:], "effects are 8; expected three bits"),
    (SOUND[:28] + b"\2" + SOUND[29:], "AdvanceTime: 2 changes in 9 bytes"),
    (SOUND + b"\0", "AdvanceTime: 1 changes in 10 bytes"),
    (SOUND[:28] + b"\xff" + SOUND[29:], "AdvanceTime: 255 changes in 9 bytes"),
    (pack_record(TICK, 0, 0, DIGEST, [1, 5, 0, 5]),
     "AdvanceTime: changes are not ascending by column"),
    (pack_record(TICK, 0, 0, DIGEST, [1, 5, 1, 6]),
     "AdvanceTime: changes are not ascending by column"),
    (pack_record(TICK, 0, 0, DIGEST, [len(COLUMNS), 5]), f"no column has code {len(COLUMNS)}"),
    (LONG[:5], "RequestOrder, wide, in 5 bytes"),
    (LONG[:-1], "RequestOrder, wide, ends within its fields"),
    (wide(TEXT[:-1]), "RequestOrder, wide: its fields are not JSON"),
    (wide(b"[]"), "RequestOrder, wide: its fields are not an object"),
    (wide(TEXT.replace(b":", b": ")), "RequestOrder: not written as the schema writes it"),
    (wide(canonical(event_fields(WIDE) | {"worker": 1})),
     "RequestOrder: not written as the schema writes it"),
]  # fmt: skip


@pytest.mark.req("JNL-012")
@pytest.mark.parametrize(("body", "expected"), BODIES, ids=[text for _, text in BODIES])
def test_a_body_with_one_thing_wrong_is_malformed(body: bytes, expected: str) -> None:
    assert refused_body(body) == expected


@pytest.mark.req("JNL-012")
def test_a_boolean_has_one_encoding() -> None:
    sound = pack_record(dataclasses.replace(WIDE, worker=1), 1, 0, DIGEST, [])
    at = 4 + 3 * 8
    assert sound[at] == 1
    other = sound[:at] + b"\2" + sound[at + 1 :]
    assert refused_body(other) == "RequestOrder: not written as the schema writes it"


# --- events from values --------------------------------------------------------------------------

VALUES: list[tuple[dict[str, object], str]] = [
    ({"cash": 3}, f"ReconcileLedger has fields ['cash']; expected {NAMES}"),
    ({"cash": 3, "quantities": [1] * 8, "x": 1},
     f"ReconcileLedger has fields {[*NAMES, 'x']}; expected {NAMES}"),
    ({"cash": True, "quantities": [1] * 8}, "ReconcileLedger: cash is True; expected int"),
    ({"cash": [3], "quantities": [1] * 8}, "ReconcileLedger: cash is [3]; expected int"),
    ({"cash": 3, "quantities": 5}, "ReconcileLedger: quantities is 5; expected int"),
    ({"cash": 3, "quantities": [1] * 7},
     f"ReconcileLedger: quantities is {[1] * 7}; expected int"),
    ({"cash": 3, "quantities": [1] * 7 + [None]},
     f"ReconcileLedger: quantities is {[1] * 7 + [None]}; expected int"),
]  # fmt: skip


@pytest.mark.req("JNL-012")
@pytest.mark.parametrize(("values", "expected"), VALUES, ids=[text for _, text in VALUES])
def test_an_event_is_made_of_its_own_fields_and_types(
    values: dict[str, object], expected: str
) -> None:
    with pytest.raises(Malformed) as caught:
        make_event(KIND_BY_NAME["ReconcileLedger"], values)
    assert str(caught.value) == expected


@pytest.mark.req("JNL-010")
def test_an_event_is_made_again_of_its_fields() -> None:
    for event in (TICK, VIEW, WIDE, ReportShock()):
        assert make_event(KIND_BY_NAME[type(event).__name__], event_fields(event)) == event
    with pytest.raises(Malformed) as caught:
        make_event(KIND_BY_NAME["RequestOrder"], event_fields(WIDE) | {"market": 0})
    assert str(caught.value) == "RequestOrder: market is 0; expected bool"


# --- states --------------------------------------------------------------------------------------


@pytest.mark.req("JNL-011")
def test_a_change_beyond_64_bits_is_no_record() -> None:
    with pytest.raises(OverflowError, match=r"^the state does not fit the journal: "):
        pack_record(TICK, 0, 0, DIGEST, [0, 2**63])


def spread(state: State) -> State:
    """A state in which no two neighbouring groups look alike."""
    return dataclasses.replace(
        state,
        clock=dataclasses.replace(state.clock, process_time_ms=7),
        killswitch=dataclasses.replace(
            state.killswitch, heartbeat_age_ms=(1, 2, 3, 4), operator_request=Pending.REARM
        ),
        survival=dataclasses.replace(state.survival, forewarner_status=Status.ORANGE),
        machine=dataclasses.replace(state.machine, posture=Posture.STALKER),
        gate=dataclasses.replace(
            state.gate,
            open_notional=9,
            slots=(
                *state.gate.slots[:7],
                dataclasses.replace(state.gate.slots[7], permit_kind=Permit.EXIT, mark=3),
            ),
        ),
        ledger=dataclasses.replace(state.ledger, fees=11),
    )


@pytest.mark.req("JNL-002", "JNL-014")
def test_columns_hold_the_state_and_give_its_digest() -> None:
    state = spread(fresh())
    row = state_columns(state)
    assert state_of(row, state.limits) == state
    assert row_digest(row, limits_bytes(state.limits)) == DeltaEncoder(state).digest
    for column in COLUMNS:
        other = [value + (code == column.code) for code, value in enumerate(row)]
        assert row_digest(other, limits_bytes(state.limits)) != DeltaEncoder(state).digest


@pytest.mark.req("JNL-002")
def test_each_group_that_changed_is_in_the_record_and_no_other() -> None:
    before, after = fresh(), spread(fresh())
    none = Effects(False, False, False)
    whole = unpack_record(1, DeltaEncoder(before).body(TICK, Accepted(after, none)))
    row = state_columns(after)
    old = state_columns(before)
    changed = {code: row[code] for code in range(len(row)) if row[code] != old[code]}
    assert dict(whole.changes) == changed
    for group in ("clock", "killswitch", "survival", "machine", "gate", "ledger"):
        one = dataclasses.replace(before, **{group: getattr(after, group)})
        record = unpack_record(1, DeltaEncoder(before).body(TICK, Accepted(one, none)))
        assert {COLUMNS[code].group for code, _ in record.changes} == {group}
        same = dataclasses.replace(before, **{group: dataclasses.replace(getattr(before, group))})
        record = unpack_record(1, DeltaEncoder(before).body(TICK, Accepted(same, none)))
        assert (record.changes, record.digest) == ((), DeltaEncoder(before).digest)


@pytest.mark.req("JNL-002")
def test_a_slots_change_names_its_worker() -> None:
    before = fresh()
    for worker in range(8):
        slots = list(before.gate.slots)
        slots[worker] = dataclasses.replace(slots[worker], instrument=5)
        gate = dataclasses.replace(before.gate, slots=tuple(slots))
        after = dataclasses.replace(before, gate=gate)
        body = DeltaEncoder(before).body(TICK, Accepted(after, Effects(False, False, False)))
        code = COLUMN_BY_NAME[f"slots.{worker}.instrument"].code
        assert unpack_record(1, body).changes == ((code, 5),)


@pytest.mark.req("JNL-001", "JNL-002")
def test_a_refusal_changes_nothing_and_says_why() -> None:
    fold = DeltaEncoder(fresh())
    record = unpack_record(1, fold.body(RecordHeartbeat(partition=9), Refused(Reason.MALFORMED)))
    assert (record.reason, record.effects, record.changes) == (Reason.MALFORMED, 0, ())
    assert record.digest == fold.digest == DeltaEncoder(fresh()).digest


@pytest.mark.req("JNL-002")
def test_an_effect_has_its_bit() -> None:
    assert [effect_bits(Effects(*(bit == which for which in range(3)))) for bit in range(3)] == [
        1,
        2,
        4,
    ]


# --- at the edges: the shortest body, the most changes, the longest fields -----------------------


# --- events --------------------------------------------------------------------------------------


@pytest.mark.req("JNL-012")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\1\0\0", "an event record of 3 bytes"),
        (b"\1\0\0\0", "AdvanceTime in 4 bytes; expected 29 or more"),
        (b"\x63\0\0\0", "no event has code 99"),
        (b"\1\2\0\0", "wide is 2; expected 0 or 1"),
        (b"\1\1\0\0", "AdvanceTime, wide, in 4 bytes"),
        (b"\1\1\0\0\0", "AdvanceTime, wide, in 5 bytes"),
        (b"\1\1\0\0\2\0", "AdvanceTime, wide, ends within its fields"),
    ],
)
def test_unpack_event_says_of_the_shortest_bodies_what_is_missing(body: bytes, said: str) -> None:
    assert refused_body(body) == said


@pytest.mark.req("JNL-010")
@pytest.mark.parametrize("digits", [3_000, 4_000, 4_200])
def test_pack_wide_holds_fields_of_tens_of_thousands_of_digits(digits: int) -> None:
    event = ReconcileLedger(cash=10**digits, quantities=(-(10**digits),) * 8)
    body = pack_record(event, 3, 0, DIGEST, [])
    assert len(body) > 9 * digits
    record = unpack_record(7, body)
    assert (record.event, record.reason, record.digest) == (event, 3, DIGEST)


@pytest.mark.req("JNL-002", "JNL-010")
def test_flat_fields_spreads_no_value_of_a_field_that_holds_one() -> None:
    """An event may say anything. What is no number is not recorded as the number within."""
    odd = AdvanceTime(process_time_ms=cast(int, (5,)))
    body = pack_record(odd, 3, 0, DIGEST, [])
    assert body != pack_record(TICK, 3, 0, DIGEST, [])
    assert b'{"process_time_ms":[5]}' in body
    assert refused_body(body) == "AdvanceTime: process_time_ms is [5]; expected int"


@dataclasses.dataclass(frozen=True)
class Pair(Event):
    """An event of a later schema: a field of two values."""

    both: tuple[int, int]


@pytest.mark.req("JNL-013")
def test_make_event_makes_a_tuple_of_two_as_of_eight() -> None:
    kind = Kind(1, "Pair", Pair, (Field("both", "int", 2),))
    assert make_event(kind, {"both": [3, 4]}) == Pair(both=(3, 4))
    with pytest.raises(Malformed) as caught:
        make_event(kind, {"both": [3]})
    assert str(caught.value) == "Pair: both is [3]; expected int"


# --- changes -------------------------------------------------------------------------------------


@pytest.mark.req("JNL-002")
@pytest.mark.parametrize("count", [len(COLUMNS) - 1, len(COLUMNS)])
def test_a_record_holds_a_change_of_every_column(count: int) -> None:
    changes = [(code, -code) for code in range(count)]
    body = pack_record(TICK, 0, 0, DIGEST, [part for change in changes for part in change])
    assert unpack_record(7, body).changes == tuple(changes)


@pytest.mark.req("JNL-011", "JNL-012")
def test_a_record_holds_no_more_changes_than_there_are_columns() -> None:
    count = len(COLUMNS) + 1
    with pytest.raises(IndexError):
        pack_record(TICK, 0, 0, DIGEST, [0, 5] * count)
    body = pack_record(TICK, 0, 0, DIGEST, [])[:-1] + bytes([count]) + bytes(9 * count)
    assert refused_body(body) == f"AdvanceTime: {count} changes in {9 * count} bytes"


@pytest.mark.req("JNL-012")
@pytest.mark.parametrize("code", [len(COLUMNS), 127, 128, 255])
def test_a_column_beyond_the_last_is_named_by_its_code(code: int) -> None:
    body = pack_record(TICK, 0, 0, DIGEST, [])[:-1] + b"\1" + struct.pack("<Bq", code, 5)
    assert refused_body(body) == f"no column has code {code}"


# --- states --------------------------------------------------------------------------------------


@pytest.mark.req("JNL-014")
def test_limits_bytes_are_eleven_signed_integers_of_64_bits() -> None:
    limits = dataclasses.replace(limits_of(), cooling_ms=-1, book_stale_ms=-(2**63))
    expected = [int(limits.profile), 0, 0, *(30_000,) * 4, -1, 600_000, 1_000, -(2**63)]
    assert limits_bytes(limits) == b"".join(n.to_bytes(8, "little", signed=True) for n in expected)
    with pytest.raises(struct.error):
        limits_bytes(dataclasses.replace(limits, cooling_ms=2**63))


def with_slots(state: State, slots: tuple[object, ...]) -> State:
    """The state with these slots, however many."""
    gate = dataclasses.replace(state.gate, slots=cast(Slots, slots))
    return dataclasses.replace(state, gate=gate)


@pytest.mark.req("JNL-011")
@pytest.mark.parametrize("count", [7, 9])
def test_a_state_with_a_slot_too_few_or_too_many_is_no_row_and_no_fold(count: int) -> None:
    whole = fresh()
    state = with_slots(whole, (whole.gate.slots * 2)[:count])
    with pytest.raises(ValueError, match="zip"):
        state_columns(state)
    with pytest.raises(ValueError, match="zip"):
        DeltaEncoder(state)


@pytest.mark.req("JNL-011")
@pytest.mark.parametrize("count", [3, 5])
def test_a_state_with_an_age_too_few_or_too_many_is_no_row_and_no_fold(count: int) -> None:
    ages = cast(Ages, (0,) * count)
    whole = fresh()
    killswitch = dataclasses.replace(whole.killswitch, heartbeat_age_ms=ages)
    state = dataclasses.replace(whole, killswitch=killswitch)
    with pytest.raises(ValueError, match="zip"):
        state_columns(state)
    with pytest.raises(struct.error):
        DeltaEncoder(state)
