"""Numbers that must not move by themselves: the codes of the kernel's words, and its constants.

A code that two names share, or that moves, changes the meaning of every journal on disk. So each
enumeration is written down once more here, in its order; and so is each constant.

Not here: what the words mean (``test_gate.py``, ``test_table.py``, ``test_rules.py``).
"""

from collections.abc import Sequence
from enum import IntEnum

import pytest

from kernel import constants, curves, fixed, outcome, table
from kernel.constants import Cause, Partition, Pending, Permit, Posture, Profile, Status
from kernel.outcome import Reason
from kernel.slotrules import Rule, Share
from kernel.table import Cell


def numbered(codes: Sequence[IntEnum], first: int) -> bool:
    """Whether these are all words of their class, in its order, numbered one by one."""
    numbers = [int(code) for code in codes]
    return list(type(codes[0])) == codes and numbers == list(range(first, first + len(codes)))


@pytest.mark.req("KRN-CONF-001")
def test_each_reason_has_the_next_number() -> None:
    codes = [
        Reason.MALFORMED, Reason.TIME_BACKWARDS, Reason.BAR_TOO_SHORT, Reason.MARKET_TIME_AHEAD,
        Reason.INSTRUMENT_NOT_CLAIMED, Reason.INSTRUMENT_OWNED, Reason.POSITION_OPEN,
        Reason.PERMIT_OUTSTANDING, Reason.HIBERNATING, Reason.FENCE_UNCONFIRMED, Reason.NO_MARK,
        Reason.NOTHING_TO_REDUCE, Reason.WOULD_GROW, Reason.WOULD_FLIP,
        Reason.POSTURE_FORBIDS_ENTRY, Reason.LIMIT_ONLY, Reason.LEVERAGE_ABOVE_CEILING,
        Reason.NOTIONAL_ABOVE_FRACTION, Reason.EXPOSURE_ABOVE_CEILING, Reason.NO_PERMIT,
        Reason.STALE_EPOCH, Reason.NOTHING_TO_REARM, Reason.NO_REQUEST, Reason.COOLING,
        Reason.REQUEST_EXPIRED, Reason.JOURNAL_DOWN, Reason.NOT_FLAT,
    ]  # fmt: skip
    assert numbered(codes, 1)


@pytest.mark.req("KRN-CONF-001")
def test_each_rule_and_share_of_a_slot_has_the_next_number() -> None:
    rules = [
        Rule.FLAT_HAS_NO_COST, Rule.NEEDS_CLAIM, Rule.REDUCES, Rule.ENTRY_AGREES,
        Rule.PERMIT_CONSISTENT, Rule.FLATTENS, Rule.NO_FLATTEN, Rule.NO_WORKER_PERMIT,
        Rule.NO_ENTRY, Rule.IN_RANGE, Rule.SOUND, Rule.FLATTEN_WHOLE, Rule.UNCLAIMED_UNMARKED,
    ]  # fmt: skip
    assert numbered(rules, 0)
    assert numbered([Share.OPEN, Share.RESERVED, Share.UNREALISED], 0)


@pytest.mark.req("KRN-TAB-001", "KRN-TAB-002", "KRN-TAB-003", "KRN-TAB-004")
def test_the_tables_three_words_are_its_cells() -> None:
    assert numbered([Cell.GO, Cell.IF, Cell.NO], 0)
    assert (table.GO, table.IF, table.NO) == (Cell.GO, Cell.IF, Cell.NO)


# --- constants, written down a second time -------------------------------------------------------
#
# A constant is used where it is defined, so most tests would move with it. Here each one stands as
# the sources give it, beside nothing that computes it. Who changes a number on purpose changes this
# table too, raises ``CONSTANTS_VERSION``, and runs the models (``traces/constants.py``).


CONSTANTS = {
    "CONSTANTS_VERSION": 1,
    "PPM": 1_000_000,
    "WORKERS": 8,
    "PARTITIONS": 4,
    "AGE_MS_MAX": 1_000_000_000,
    "AGE_S_MAX": 1_000_000,
    "LATENCY_MS_MAX": 60_000,
    "GRID_MEMBERS_MAX": 1_000,
    "INSTRUMENT_MAX": 65_535,
    "QUANTITY_MAX": 1_000_000,
    "PRICE_MAX": 100_000_000_000,
    "FEE_MAX": 1_000_000_000_000,
    "CASH_MAX": 1_000_000_000_000_000,
    "LEVERAGE_PPM_MAX": 100_000_000,
    "TIME_MS_MAX": 4_000_000_000_000,
    "OPERATOR_MAX": 65_535,
    "REASON_MAX": 9_223_372_036_854_775_807,
    "HEARTBEAT_MS_MAX": 30_000,
    "STATUS_FACTOR_ORANGE_PPM": 500_000,
    "STATUS_FACTOR_RED_PPM": 100_000,
    "BOOK_STALE_FACTOR_PPM": 500_000,
    "DEGRADED_BELOW_PPM": 800_000,
    "DEGRADED_COUNT": 2,
    "RECOVERY_BIBLE_MS_PER_PPM": 3,
    "RECOVERY_SPECIFICATION_MS_PER_PPM": 6,
    "RECOVERY_MS_MAX": 300_000,
    "BIBLE_APEX_PPM": 900_000,
    "BIBLE_STALKER_PPM": 750_000,
    "BIBLE_TURTLE_PPM": 500_000,
    "BIBLE_DOWN_AFTER": 2,
    "BIBLE_UP_AFTER": 5,
    "SPECIFICATION_APEX_DROP_PPM": 850_000,
    "SPECIFICATION_STALKER_DROP_PPM": 700_000,
    "SPECIFICATION_TURTLE_DROP_PPM": 450_000,
    "SPECIFICATION_APEX_RISE_PPM": 920_000,
    "SPECIFICATION_STALKER_RISE_PPM": 770_000,
    "SPECIFICATION_TURTLE_RISE_PPM": 520_000,
    "SPECIFICATION_DOWN_AFTER": 1,
    "SPECIFICATION_UP_AFTER": 1,
    "CEILING_APEX": 6,
    "CEILING_STALKER": 2,
    "FRACTION_DIVISOR": 5,
}
CURVES = {
    "STRUCTURAL_GRACE_S": 21_600,
    "STRUCTURAL_EXP_PER_S": 250,
    "STRUCTURAL_FRESH_S": 30,
    "STRUCTURAL_BLIND_S": 7_200,
    "STRUCTURAL_BLIND_PPM": 100_000,
    "SHOCK_PPM": 300_000,
    "ENVIRONMENT_EXP_PER_S": 750,
    "ENVIRONMENT_COOLING_S": 3_600,
    "CAPITAL_MIDDLE_PPM": 120_000,
    "CAPITAL_EXP_PER_PPM": 81,
    "MICRO_FLOOR_PPM": 300_000,
    "LATENCY_DEADBAND_MS": 200,
    "LATENCY_EXP_PER_MS": 2_700,
    "JITTER_DEADBAND_MS": 50,
    "JITTER_EXP_PER_MS": 10_800,
    "DEPTH_DEADBAND_PPM": 800_000,
}
FIXED = {
    "ONE": 1_000_000_000_000_000_000,
    "ONE_SQUARED": 1_000_000_000_000_000_000_000_000_000_000_000_000,
    "EXP_UNIT": 2_700_000,
    "EXP_MAX": 134_217_727,
    "DECADE_UNIT": 7_170,
    "DECADE_MAX": 32_767,
    "ERROR_MAX": 13,
}
# In the order of their codes, which stand in journals: a moved code makes old journals lie.
CODES: dict[type[IntEnum], tuple[int, str]] = {
    Profile: (0, "BIBLE SPECIFICATION"),
    Posture: (0, "HIBERNATE TURTLE STALKER APEX"),
    Partition: (0, "ALPHA EXECUTION FEED SENSORS"),
    Cause: (1, "CHECKSUM DESYNC OPERATOR"),
    Status: (0, "OK ORANGE RED"),
    Permit: (0, "NONE ENTRY EXIT FLATTEN"),
    Pending: (0, "NONE REARM PEAK_RESET"),
    Reason: (
        1,
        "MALFORMED TIME_BACKWARDS BAR_TOO_SHORT MARKET_TIME_AHEAD INSTRUMENT_NOT_CLAIMED "
        "INSTRUMENT_OWNED POSITION_OPEN PERMIT_OUTSTANDING HIBERNATING FENCE_UNCONFIRMED "
        "NO_MARK NOTHING_TO_REDUCE WOULD_GROW WOULD_FLIP POSTURE_FORBIDS_ENTRY LIMIT_ONLY "
        "LEVERAGE_ABOVE_CEILING NOTIONAL_ABOVE_FRACTION EXPOSURE_ABOVE_CEILING NO_PERMIT "
        "STALE_EPOCH NOTHING_TO_REARM NO_REQUEST COOLING REQUEST_EXPIRED JOURNAL_DOWN "
        "NOT_FLAT",
    ),
}


def numbers(module: object) -> dict[str, int]:
    """The module's own integers; what it imports is another module's."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int) and not isinstance(value, IntEnum)
    }


@pytest.mark.parametrize(
    ("module", "table"), [(constants, CONSTANTS), (curves, CURVES), (fixed, FIXED)]
)
def test_every_constant_is_the_number_written_down(module: object, table: dict[str, int]) -> None:
    found = numbers(module)
    assert {name: found.get(name) for name in table} == table


def test_no_constant_is_missing_from_the_tables() -> None:
    written = CONSTANTS | CURVES | FIXED
    for module in (constants, curves, fixed):
        assert numbers(module).keys() <= written.keys()


@pytest.mark.parametrize("codes", CODES, ids=lambda codes: codes.__name__)
def test_every_code_is_the_number_in_the_journals(codes: type[IntEnum]) -> None:
    first, names = CODES[codes]
    assert {name: int(code) for name, code in codes.__members__.items()} == {
        name: first + place for place, name in enumerate(names.split())
    }


def test_every_enumeration_has_its_codes() -> None:
    found = {
        value
        for module in (constants, outcome)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum
    }
    assert found == set(CODES)
