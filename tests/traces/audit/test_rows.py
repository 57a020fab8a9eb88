"""Rows for TLC: numbers as text, ranges, clocks, and what is clamped without changing a verdict."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.constants import PPM
from kernel.events import AdvanceTime, CloseBar, RecordHeartbeat
from kernel.outcome import Accepted
from kernel.step import step
from tests.traces.samples import header_of
from traces.audit import layout, rows
from traces.audit.layout import BeyondModel
from traces.audit.rows import Mapper, NotAState, new_points
from traces.codec import DeltaEncoder, state_columns, unpack_record
from traces.schema import COLUMNS


def number(text: str) -> int:
    """What TraceKernel reads in unsigned text."""
    return sum(layout.DIGITS.index(digit) * 32**place for place, digit in enumerate(reversed(text)))


def signed(text: str) -> int:
    """What TraceKernel reads in signed text."""
    return -number(text[1:]) if text[0] == "1" else number(text[1:])


@pytest.mark.req("AUD-010")
@given(st.integers(0, 2**30 - 1))
def test_unsigned_numbers(value: int) -> None:
    assert number(layout.unsigned_6(value)) == value
    assert number(layout.unsigned_4(value & 0xFFFFF)) == value & 0xFFFFF
    assert number(layout.unsigned_2(value & 1023)) == value & 1023
    assert len(layout.unsigned_6(value)) == 6


@pytest.mark.req("AUD-010")
@given(st.integers(-(2**31) + 1, 2**31 - 1))
def test_signed_numbers(value: int) -> None:
    assert signed(layout.signed_8(value)) == value
    assert len(layout.signed_8(value)) == 8


@pytest.mark.req("AUD-010")
@given(st.integers(-2_147_483_647 * PPM, 2_147_483_647 * PPM))
def test_money_is_units_and_micros(value: int) -> None:
    text = layout.money(value)
    assert len(text) == 12
    assert signed(text[:8]) * PPM + number(text[8:]) == value


@pytest.mark.req("AUD-010")
def test_money_beyond_32_bits_is_said() -> None:
    with pytest.raises(BeyondModel):
        layout.money(2**31 * PPM)


@pytest.mark.req("AUD-010")
def test_every_column_has_a_group_but_the_clocks() -> None:
    assert sorted(rows.GROUP_OF) == [c.code for c in COLUMNS if c.group != "clock"]
    assert [COLUMNS[rows.PROCESS].name, COLUMNS[rows.MARKET].name] == [
        "process_time_ms",
        "market_time_ms",
    ]


@pytest.mark.req("AUD-010")
def test_a_start_is_as_long_as_the_model_reads() -> None:
    # TraceKernel's AtStart ends with drawdown_ppm, four digits at 592.
    assert len(rows.start_text(state_columns(header_of().opening_state()))) == 595


def taken(event: object, **changes: object) -> None:
    """Map one record whose claim was changed."""
    header = header_of()
    state = header.opening_state()
    outcome = step(state, event)  # type: ignore[arg-type]  # an event
    assert isinstance(outcome, Accepted)
    record = unpack_record(1, DeltaEncoder(state).body(event, outcome))  # type: ignore[arg-type]  # an event
    mapper = Mapper(0, state_columns(state), new_points(), 10)
    mapper.take(replace(record, **changes))  # type: ignore[arg-type]  # fields of a record


@pytest.mark.req("AUD-010")
def test_a_clock_that_is_not_the_events_is_no_step() -> None:
    taken(AdvanceTime(process_time_ms=5))
    with pytest.raises(NotAState, match="process_time_ms is 6; the event says 5"):
        taken(AdvanceTime(process_time_ms=5), changes=((rows.PROCESS, 6),))
    with pytest.raises(NotAState, match="market_time_ms is 0; the event says 300000"):
        taken(CloseBar(market_time_ms=300_000), changes=())
    with pytest.raises(NotAState, match="process_time_ms is 1; the event says 0"):
        taken(RecordHeartbeat(partition=0), changes=((rows.PROCESS, 1),))


@pytest.mark.req("AUD-010")
@pytest.mark.parametrize(
    ("column", "value"),
    [("posture", 4), ("killed", 2), ("multiplier_ppm", -1), ("grid_members", 1_001)],
)
def test_a_value_outside_its_type_is_no_state(column: str, value: int) -> None:
    code = next(c.code for c in COLUMNS if c.name == column)
    with pytest.raises(NotAState, match=column):
        taken(RecordHeartbeat(partition=0), changes=((code, value),))


def test_lots_are_balanced() -> None:
    chunks = [rows.Chunk(0, False, "", ["r"] * n, list(range(n))) for n in (5, 1, 4, 3, 3)]
    assert sorted(rows.row_count(lot) for lot in rows.balanced(chunks, 2)) == [8, 8]
