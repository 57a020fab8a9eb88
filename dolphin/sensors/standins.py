"""What stands in for which sensor: the list for the journal's header and the report.

Rules of this file: one entry per stand-in, name and one line. A session that has the real sensor
leaves its entry out of the header. This module imports every stand-in and is therefore of the
lowest of their levels; none of them imports it.
"""

from dolphin.sensors import book, dvol, forewarner

__all__ = ["STAND_INS"]

STAND_INS: tuple[tuple[str, str], ...] = (
    (forewarner.NAME, forewarner.DESCRIPTION),
    (book.NAME, book.DESCRIPTION),
    (dvol.NAME, dvol.DESCRIPTION),
)
