"""The numbers that the journal, the models and the reports know the kernel's words by.

A code that two names share, or that moves, changes the meaning of every journal on disk. So each
enumeration is written down once more here, in its order.

Not here: what the words mean (``test_gate.py``, ``test_table.py``, ``test_rules.py``).
"""

from collections.abc import Sequence
from enum import IntEnum

import pytest

from kernel import table
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
