"""The matrix for people: one HTML page that needs nothing beside itself.

A row per requirement: what is asked, what it refines, which code and which models carry it, which
tests were executed and what came out, and the status. Rows are filtered by words, group, method and
status; every id is a place that can be linked to.

Rules of this file:

*   It renders the canonical document (``exports.document``) and adds nothing to it.
*   No empty cell: what is missing says so. Status is a word, never a colour alone.
*   Text becomes HTML in ``_text`` and nowhere else.

Not here: style and script (``matrix.css``, ``matrix.js``), which are put into the page.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from certification.requirements.catalogue import GROUPS, HIGH, METHODS

HERE = Path(__file__).resolve().parent
NOTHING = '<span class="dim">–</span>'
STATUS_CSS = {"verified": "good", "failing": "bad", "untested": "bad", "not run": "open"}
OUTCOME_CSS = {"passed": "good", "failed": "bad", "xpassed": "bad"}
LISTED_MAX = 4
SHOWN_MAX = 20
LOW_HEADS = ["requirement", "refines", "code", "models and proofs", "tests", "status"]
HIGH_HEADS = ["requirement", "refined by", "status"]

Row = Mapping[str, Any]


def _text(value: object) -> str:
    return escape(str(value), quote=True)


def _badge(word: str, css: str) -> str:
    return f'<span class="badge {css}">{_text(word)}</span>'


def _status(word: str) -> str:
    return _badge(word, STATUS_CSS.get(word, "open"))


def _folded(summary: str, lines: Sequence[str]) -> str:
    """Return a list, folded where it is long."""
    if not lines:
        return NOTHING
    items = "".join(f"<li>{line}</li>" for line in lines)
    if len(lines) <= LISTED_MAX:
        return f"<ul>{items}</ul>"
    return f"<details><summary>{summary}</summary><ul>{items}</ul></details>"


def _places(links: Sequence[Row]) -> str:
    lines = []
    for link in links:
        where = f"<b>{_text(link['where'])}</b> " if link["where"] else ""
        lines.append(f"{where}<span class='file'>{_text(link['file'])}:{link['line']}</span>")
    return _folded(f"{len(lines)} places", lines)


def _tests(row: Row) -> str:
    runs: Mapping[str, str] = row["tests"]
    if not runs:
        marked = row["marked"]
        if not marked:
            return '<span class="missing">no test names it</span>'
        return f'<div class="dim">not executed:</div>{_places(marked)}'
    lines = []
    for name, outcome in runs.items():
        file, _, test = name.partition("::")
        said = _badge(outcome, OUTCOME_CSS.get(outcome, "open"))
        lines.append(f"{said} {_text(test)} <span class='file'>{_text(file)}</span>")
    passed = sum(outcome == "passed" for outcome in runs.values())
    return _folded(f"{passed} of {len(runs)} passed", lines)


def _id(name: str) -> str:
    return f'<a href="#{_text(name)}" class="id">{_text(name)}</a>'


def _asked(row: Row) -> str:
    methods = " ".join(f'<span class="method">{_text(one)}</span>' for one in row["method"])
    why = f'<div class="why">{_text(row["rationale"])}</div>' if row["rationale"] else ""
    return (
        f'<div>{_id(row["id"])} <span class="dim">level {_text(row["level"])}</span> '
        f"{methods}</div>"
        f'<div>{_text(row["text"])}</div>{why}<div class="dim">{_text(row["source"])}</div>'
    )


def _attributes(row: Row) -> str:
    group = row["id"].rpartition("-")[0]
    words = " ".join(
        (
            row["id"], row["text"], row["source"], row["parent"],
            *(link["file"] for link in (*row["code"], *row["spec"])),
            *(link["where"] for link in (*row["code"], *row["spec"])), *row["tests"],
        )
    ).lower()  # fmt: skip
    return (
        f'id="{_text(row["id"])}" data-group="{_text(group)}" data-status="{_text(row["status"])}" '
        f'data-method="{_text(" ".join(row["method"]))}" data-words="{_text(words)}"'
    )


def _low(rows: Iterable[Row], by_id: Mapping[str, Row]) -> str:
    lines = []
    for row in rows:
        parent = by_id.get(row["parent"])
        above = f'<span class="missing">{_text(row["parent"])}</span>'
        if parent:
            said = _text(parent["text"])
            above = f'{_id(row["parent"])}<div class="dim above" title="{said}">{said}</div>'
        cells = (
            _asked(row), above, _places(row["code"]), _places(row["spec"]), _tests(row),
            _status(row["status"]),
        )  # fmt: skip
        lines.append(f"<tr {_attributes(row)}>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    return "".join(lines)


def _high(rows: Iterable[Row], by_id: Mapping[str, Row]) -> str:
    lines = []
    for row in rows:
        children = [
            f"{_id(child)} {_status(by_id[child]['status'])}"
            for child in row["children"]
            if child in by_id
        ]
        good = sum(by_id[one]["status"] == "verified" for one in row["children"] if one in by_id)
        refined = (
            _folded(f"{good} of {len(children)} verified", children)
            if children
            else '<span class="missing">none refines it</span>'
        )
        lines.append(
            f"<tr {_attributes(row)}><td>{_asked(row)}</td><td>{refined}</td>"
            f"<td>{_status(row['status'])}</td></tr>"
        )
    return "".join(lines)


def _tile(word: str, number: object, css: str = "") -> str:
    shown = "not run" if number is None else number
    return f'<div class="tile {css}"><b>{_text(shown)}</b><span>{_text(word)}</span></div>'


def _tiles(data: Row) -> str:
    def gap(word: str, key: str) -> str:
        number = data[key]
        return _tile(word, number, "open" if number is None else "bad" if number else "good")

    return "".join(
        (
            _tile("requirements", data["total"]), _tile("high-level", data["high"]),
            _tile("low-level", data["low"]), _tile("of them the kernel's", data["kernel"]),
            _tile("verified", data["verified"], "open" if data["verified"] is None else "good"),
            gap("untested", "untested"), gap("failing tests", "failing"),
            gap("orphans", "orphans"), gap("dangling ids", "dangling"),
            gap("carried by nothing", "uncarried"),
        )
    )  # fmt: skip


def _findings(data: Row) -> str:
    if not data["findings"]:
        return ""
    rows = "".join(
        f"<tr><td>{_badge(f['gate'], 'bad')}</td><td>{_text(f['subject'])}</td>"
        f"<td>{_text(f['text'])}</td><td class='file'>{_text(f['file'])}:{f['line']}</td></tr>"
        for f in data["findings"]
    )
    number = len(data["findings"])
    opened = " open" if number <= SHOWN_MAX else ""
    return (
        f"<h2>What does not hold</h2><details{opened}><summary>{number} findings</summary>"
        "<div class='scroll'><table><thead><tr><th>gate<th>what<th>why<th>where</tr></thead>"
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _options(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<option value="{_text(key)}">{_text(word)}</option>' for key, word in pairs)


def _filters(data: Row) -> str:
    groups = [(key, f"{key}: {about}") for key, about in GROUPS.items() if key in data["by_group"]]
    return (
        '<form id="filters"><input id="words" type="search" placeholder="words, ids, functions, '
        'files" aria-label="words"><select id="group" aria-label="group">'
        + _options([("", "every group"), *groups])
        + '</select><select id="method" aria-label="method">'
        + _options([("", "every method"), *((one, one) for one in METHODS)])
        + '</select><select id="status" aria-label="status">'
        + _options([("", "every status"), *((one, one) for one in STATUS_CSS)])
        + '</select><output id="count"></output></form>'
    )


def page(data: Row) -> str:
    """Return the page for the canonical document."""
    rows: list[Row] = data["requirements"]
    by_id = {row["id"]: row for row in rows}
    css = (HERE / "matrix.css").read_text(encoding="utf-8")
    script = (HERE / "matrix.js").read_text(encoding="utf-8")
    parts = []
    for group, about in GROUPS.items():
        its = [row for row in rows if row["id"].rpartition("-")[0] == group]
        if not its:
            continue
        heads, body = (LOW_HEADS, _low(its, by_id))
        if group == HIGH:
            heads, body = (HIGH_HEADS, _high(its, by_id))
        css_class = "high" if group == HIGH else "low"
        good = sum(row["status"] == "verified" for row in its)
        head = "".join(f"<th>{_text(one)}</th>" for one in heads)
        parts.append(
            f'<section><h2>{_text(group)} <span class="dim">{_text(about)}, {good} of {len(its)} '
            f'verified</span></h2><div class="scroll"><table class="{css_class}"><thead><tr>{head}'
            f"</tr></thead><tbody>{body}</tbody></table></div></section>"
        )
    verdict_css = {"holds": "good", "does not hold": "bad"}.get(data["status"], "open")
    recorded = (
        f"Outcomes recorded {_text(data['started'])} to {_text(data['finished'])}: "
        f"{data['tests']['executed']} tests with requirements."
        if not data["reason"]
        else f"Outcomes: not run. {_text(data['reason'])}"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>dolphin-nautilus: requirements</title><style>{css}</style></head><body><main>"
        f"<h1>Requirements {_badge(data['status'], verdict_css)}</h1>"
        f"<p class='dim'>{recorded} Catalogue <code>{_text(data['catalogue'][:16])}</code>. "
        "DO-178C-style evidence, not certified.</p>"
        f"<div class='tiles'>{_tiles(data)}</div>{_findings(data)}{_filters(data)}"
        f"{''.join(parts)}</main><script>{script}</script></body></html>\n"
    )
