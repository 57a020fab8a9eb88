"""The codec at its edges: the shortest body, the most changes, the longest fields, the tails.

Not here: each check of a body's content and the whole of a state (``test_codec_decisions.py``).
"""

import dataclasses
import struct
from typing import cast

import pytest

from kernel.events import AdvanceTime, Event, ReconcileLedger
from kernel.state import Ages, Slots, State
from tests.kernel.sessions import fresh, limits_of
from traces.codec import (
    DeltaEncoder,
    Malformed,
    limits_bytes,
    make_event,
    pack_record,
    state_columns,
    unpack_record,
)
from traces.schema import COLUMNS, Field, Kind

DIGEST = bytes(range(16))
TICK = AdvanceTime(process_time_ms=5)


def refused_body(body: bytes) -> str:
    """What is said of a body that no writer writes."""
    with pytest.raises(Malformed) as caught:
        unpack_record(7, body)
    return str(caught.value)


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
