"""The transition table: every (event, posture) cell, laid out by hand.

Rules of this file:

*   A row per event, a column per posture. Refusing is a cell too.
*   The three rows that have a refusing cell are read before their handler runs (``answers.py``). No
    code reads the others: they say what the guards do, and ``tests/kernel/test_table.py``
    enumerates every cell of all rows and shows the kernel doing what it says.

The cells:

    GO   accepted whenever the fields are in range; no guard reads more than that
    IF   judged: the handler's guards decide, and name the reason
    NO   refused in this posture, whatever the fields say, with the row's reason

Why a cell refuses:

*   Workers' orders in HIBERNATE, exits too: two overlapping exits would starve the kernel's own
    flatten for ever (``HIBERNATING``).
*   There is nothing to re-arm outside HIBERNATE, since a latched cause means killed and killed
    means HIBERNATE (``NOTHING_TO_REARM``, ``NO_REQUEST``).

A malformed event is ``MALFORMED`` in every cell, before the table is read. Rows of at most nine
entries and no dictionary: the provers read them too. Spec module: Kernel.
"""

from enum import IntEnum
from typing import Final


class Cell(IntEnum):
    """What the table says of an event in a posture."""

    # KRN-TAB-001, KRN-TAB-002, KRN-TAB-003, KRN-TAB-004

    GO = 0
    IF = 1
    NO = 2


GO: Final = Cell.GO
IF: Final = Cell.IF
NO: Final = Cell.NO

Row = tuple[Cell, Cell, Cell, Cell]

# fmt: off
#                             HIBERNATE TURTLE  STALKER APEX
ADVANCE_TIME:       Final[Row] = (IF,    IF,     IF,     IF)
CLOSE_BAR:          Final[Row] = (IF,    IF,     IF,     IF)
RECORD_HEARTBEAT:   Final[Row] = (GO,    GO,     GO,     GO)
REPORT_GRID:        Final[Row] = (GO,    GO,     GO,     GO)
REPORT_FOREWARNER:  Final[Row] = (GO,    GO,     GO,     GO)
REPORT_BOOK:        Final[Row] = (GO,    GO,     GO,     GO)
REPORT_SHOCK:       Final[Row] = (GO,    GO,     GO,     GO)
UPDATE_MARK:        Final[Row] = (IF,    IF,     IF,     IF)
CLAIM_INSTRUMENT:   Final[Row] = (IF,    IF,     IF,     IF)
REQUEST_ORDER:      Final[Row] = (NO,    IF,     IF,     IF)   # HIBERNATING
REPORT_FILL:        Final[Row] = (GO,    GO,     GO,     GO)
CLOSE_ORDER:        Final[Row] = (IF,    IF,     IF,     IF)
CONFIRM_FENCE:      Final[Row] = (IF,    IF,     IF,     IF)
RECONCILE_LEDGER:   Final[Row] = (GO,    GO,     GO,     GO)
TRIP_KILL_SWITCH:   Final[Row] = (GO,    GO,     GO,     GO)
REQUEST_REARM:      Final[Row] = (IF,    NO,     NO,     NO)   # NOTHING_TO_REARM
CONFIRM_REARM:      Final[Row] = (IF,    NO,     NO,     NO)   # NO_REQUEST
REQUEST_PEAK_RESET: Final[Row] = (IF,    IF,     IF,     IF)
CONFIRM_PEAK_RESET: Final[Row] = (IF,    IF,     IF,     IF)
FAIL_JOURNAL:       Final[Row] = (GO,    GO,     GO,     GO)
RESTORE_JOURNAL:    Final[Row] = (GO,    GO,     GO,     GO)
RESTART_KERNEL:     Final[Row] = (GO,    GO,     GO,     GO)
# fmt: on
