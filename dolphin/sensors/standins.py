"""What stands in for which sensor: the list for the journal's header and the report.

Rules of this file:

*   One entry per stand-in: its name, and what it is computed from, in one line.
*   A session that has the real sensor leaves its entry out of the header.

Not here: the stand-ins (``forewarner.py``, ``book.py``, ``dvol.py``). Level C.
"""

from dolphin.sensors import book, dvol, forewarner

__all__ = ["STAND_INS"]

STAND_INS: tuple[tuple[str, str], ...] = (
    (forewarner.NAME, forewarner.DESCRIPTION),
    (book.NAME, book.DESCRIPTION),
    (dvol.NAME, dvol.DESCRIPTION),
)
