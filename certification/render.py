"""HTML by Jinja2: one environment, everything escaped, nothing undefined.

Rules of this file:

*   Autoescape is on for every template. Only the plots come in as markup (``plots.py`` escapes its
    own text) and the style sheet, which is ours.
*   A name that a template uses and nobody gave is an error, not an empty place.
*   Words for figures are made here, so that an amount looks the same on every page: money in USDT
    from micro-USDT, shares in per cent from ppm, times in UTC with their year.

Not here: what is on a page (``page.py``, ``page_session.py``, ``requirements/matrix.py``), how it
looks (``report.css``).
"""

import os
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from certification.artefacts import FileRef, Inputs

MICRO = 1_000_000
# How a word of ours looks. What is in no row is neutral.
LOOK = {
    "holds": "good", "as recorded": "good", "verified": "good", "passed": "good", "PASS": "good",
    "held": "good", "accepted": "good",
    "does not hold": "bad", "NOT as recorded": "bad", "failing": "bad", "untested": "bad",
    "failed": "bad", "xpassed": "bad", "FAIL": "bad",
    "not run": "open", "in part": "open", "did not hold": "open", "INCOMPLETE": "open",
    "stale": "open", "not met": "open", "recorded in part": "open", "no record": "open",
    "drill": "drill",
    "run here": "good", "recorded": "recorded",
}  # fmt: skip


def look(word: str) -> str:
    """Return the style class of a word."""
    return LOOK.get(word, "none")


def usdt(micro: int) -> str:
    """Return micro-USDT as USDT with two digits."""
    return f"{micro / MICRO:,.2f}".replace("-", "−")


def percent(ppm: float) -> str:
    """Return ppm as per cent with two digits."""
    return f"{ppm / 10_000:.2f} %".replace("-", "−")


def number(value: object) -> str:
    """Return a whole number with its thousands apart; other text as it is; "not said" for none."""
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def several(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 file", "7 files"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(milliseconds: int) -> str:
    """Return a time to the minute, with its year, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def anchor(name: str) -> str:
    """Return the id of a file's row in the list of files."""
    return "file-" + "".join(letter if letter.isalnum() else "-" for letter in name)


class Links:
    """Where a file is, seen from the run's folder: the folder can be moved with its project."""

    def __init__(self, inputs: Inputs) -> None:
        """Links of one report."""
        self._start = inputs.run_dir.resolve()
        self.known = {ref.name: ref for ref in inputs.files}

    def where(self, ref: FileRef) -> str:
        """Return the link's target."""
        return quote(os.path.relpath(ref.path.resolve(), self._start))

    def name(self, ref: FileRef) -> str:
        """Return the link's text: from the run's folder where it is in it, else its full name."""
        where = os.path.relpath(ref.path.resolve(), self._start)
        return ref.name if where.startswith("..") else where


@cache
def environment() -> Environment:
    """Return the environment of all pages."""
    made = Environment(
        loader=PackageLoader("certification"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for filter_ in (look, usdt, percent, number, moment, anchor):
        made.filters[filter_.__name__] = filter_
    made.globals["several"] = several
    return made


def style(name: str) -> Markup:
    """Return one of our own files beside the templates (style sheet, script) as it is."""
    return Markup(files("certification").joinpath("templates", name).read_text("utf-8"))


def render(template: str, **context: Any) -> str:
    """Return the page that a template makes of its context."""
    return environment().get_template(template).render(**context)
