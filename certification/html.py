"""HTML building blocks: tables, badges, links to files with their hashes.

Rules of this file:

*   Text becomes HTML here and nowhere else: everything is escaped unless it is ``Html`` already.
*   A table has no empty cell.
*   A link to a file leads there from the run's folder, so the folder can be moved with its project.

Not here: what is on the page (``page.py``).
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from certification.appendix_b import IN_PART, INDEPENDENT, ORGANISATION
from certification.artefacts import FileRef, Inputs
from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, Claim

NOT_HELD = "did not hold"
VERDICT_CSS = {
    HOLDS: "good",
    DOES_NOT_HOLD: "bad",
    NOT_RUN: "open",
    IN_PART: "open",
    ORGANISATION: "none",
    INDEPENDENT: "none",
    NOT_HELD: "open",
    "PASS": "good",
    "FAIL": "bad",
    "INCOMPLETE": "open",
}
NOTHING = '<span class="dim">–</span>'


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def esc(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


def badge(state: str) -> Html:
    return Html(f'<span class="badge {VERDICT_CSS[state]}">{escape(state)}</span>')


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: frozenset[int] = frozenset(),
    marks: Mapping[int, str] | None = None,
    hashes: int | None = None,
    compact: bool = False,
) -> str:
    """Return a table. ``numbers``: columns set to the right; ``marks``: attributes by row."""

    def css(column: int) -> str:
        if column in numbers:
            return ' class="number"'
        return ' class="mono hash"' if column == hashes else ' class="name"'

    head = "".join(
        f'<th scope="col"{css(column) if column in numbers else ""}>{escape(name)}</th>'
        for column, name in enumerate(heads)
    )
    body = ""
    for number, row in enumerate(rows):
        extra = f" {(marks or {}).get(number, '')}".rstrip()
        cells = "".join(
            f"<td{css(column)}>{esc(cell) or NOTHING}</td>" for column, cell in enumerate(row)
        )
        body += f"<tr{extra}>{cells}</tr>\n"
    width = ' class="compact"' if compact else ""
    return (
        f'<div class="scroll"><table{width}><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>'
        "</table></div>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{esc(value)}</dd>"
        for name, value in pairs
        if value not in ("", None)
    )
    return f"<dl>{rows}</dl>"


def anchor(name: str) -> str:
    return "file-" + "".join(letter if letter.isalnum() else "-" for letter in name)


def link(ref: FileRef, inputs: Inputs) -> Html:
    """Return a link to a file; one of the run's own is named from the run's folder."""
    where = os.path.relpath(ref.path.resolve(), inputs.run_dir.resolve())
    name = ref.name if where.startswith("..") else where
    return Html(f'<a href="{quote(where)}">{escape(name)}</a>')


def source(claim: Claim, by_name: Mapping[str, FileRef], inputs: Inputs) -> Html:
    """Return the link to a claim's file, and its hash as a link to the list of files."""
    if claim.artefact not in by_name:
        return Html('<span class="dim">no file</span>')
    ref = by_name[claim.artefact]
    return Html(
        f'{link(ref, inputs)}<br><a class="mono dim" href="#{anchor(ref.name)}" '
        f'title="{ref.sha256}">{ref.sha256[:12]}…</a>'
    )


def with_detail(text: str, detail: str) -> Html:
    more = f'<br><span class="dim">{escape(detail)}</span>' if detail else ""
    return Html(escape(text) + more)


def missing(text: str) -> str:
    return f"<p>{badge(NOT_RUN)} {escape(text)}</p>"


def claims_table(rows: Sequence[Claim], by_name: Mapping[str, FileRef], inputs: Inputs) -> str:
    return table(
        ("state", "claim", "file and hash"),
        (
            (
                badge(claim.status),
                with_detail(claim.text, claim.detail),
                source(claim, by_name, inputs),
            )
            for claim in rows
        ),
    )
