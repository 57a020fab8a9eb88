"""The numbers that the journal, the models and the reports know the kernel's words by.

A code that two names share, or that moves, changes the meaning of every journal on disk. So each
enumeration is written down once more here, in its order.

Not here: what the words mean (``test_gate.py``, ``test_table.py``, ``test_rules.py``).
"""

from enum import IntEnum

import pytest

from kernel import table
from kernel.outcome import Reason
from kernel.slotrules import Rule, Share
from kernel.table import Cell

REASONS = (
    Reason.MALFORMED, Reason.TIME_BACKWARDS, Reason.BAR_TOO_SHORT, Reason.MARKET_TIME_AHEAD,
    Reason.INSTRUMENT_NOT_CLAIMED, Reason.INSTRUMENT_OWNED, Reason.POSITION_OPEN,
    Reason.PERMIT_OUTSTANDING, Reason.HIBERNATING, Reason.FENCE_UNCONFIRMED, Reason.NO_MARK,
    Reason.NOTHING_TO_REDUCE, Reason.WOULD_GROW, Reason.WOULD_FLIP, Reason.POSTURE_FORBIDS_ENTRY,
    Reason.LIMIT_ONLY, Reason.LEVERAGE_ABOVE_CEILING, Reason.NOTIONAL_ABOVE_FRACTION,
    Reason.EXPOSURE_ABOVE_CEILING, Reason.NO_PERMIT, Reason.STALE_EPOCH, Reason.NOTHING_TO_REARM,
    Reason.NO_REQUEST, Reason.COOLING, Reason.REQUEST_EXPIRED, Reason.JOURNAL_DOWN,
    Reason.NOT_FLAT,
)  # fmt: skip
RULES = (
    Rule.FLAT_HAS_NO_COST, Rule.NEEDS_CLAIM, Rule.REDUCES, Rule.ENTRY_AGREES,
    Rule.PERMIT_CONSISTENT, Rule.FLATTENS, Rule.NO_FLATTEN, Rule.NO_WORKER_PERMIT, Rule.NO_ENTRY,
    Rule.IN_RANGE, Rule.SOUND, Rule.FLATTEN_WHOLE, Rule.UNCLAIMED_UNMARKED,
)  # fmt: skip


@pytest.mark.req("KRN-CONF-001", "KRN-TAB-001")
@pytest.mark.parametrize(
    ("codes", "first"),
    [
        (REASONS, 1),
        (RULES, 0),
        ((Share.OPEN, Share.RESERVED, Share.UNREALISED), 0),
        ((Cell.GO, Cell.IF, Cell.NO), 0),
    ],
)
def test_each_word_has_the_next_number(codes: tuple[IntEnum, ...], first: int) -> None:
    assert [int(code) for code in codes] == list(range(first, first + len(codes)))
    assert list(type(codes[0])) == list(codes)


@pytest.mark.req("KRN-TAB-001", "KRN-TAB-002", "KRN-TAB-003", "KRN-TAB-004")
def test_the_tables_three_words_are_its_cells() -> None:
    assert (table.GO, table.IF, table.NO) == (Cell.GO, Cell.IF, Cell.NO)
