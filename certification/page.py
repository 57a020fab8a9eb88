"""``report.html``: one page that stands alone, for a reader who trusts nothing.

Rules of this file:

*   The order is the reader's: verdict, what stands in its way, the gaps; then the session, the
    audit, the models, the tests; then the criteria, every claim, every file with its hash.
*   All text from a file is escaped. No script, no font, no picture from elsewhere.
*   What is missing is said in words in the place where it would be.
*   Nothing is judged here: states come from ``claims.py`` and ``appendix_b.py``.

Not here: plots (``plots.py``), colours (``page.css``).
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files as package_files
from typing import Any
from urllib.parse import quote

from certification.appendix_b import IN_PART, INDEPENDENT, ORGANISATION, assess
from certification.artefacts import FileRef, Inputs
from certification.claims import (
    DOES_NOT_HOLD,
    HOLDS,
    NOT_RUN,
    SESSION,
    Claim,
    is_stale,
    listed,
    model_problems,
    rejection_text,
    stale_because,
    verdicts,
)
from certification.gaps import LABEL, gaps
from certification.plots import (
    POSTURES,
    Mark,
    bar_time,
    equity_plot,
    mark_glyph,
    multiplier_plot,
    posture_plot,
    refusals_plot,
)

_CSS = {
    HOLDS: "good",
    DOES_NOT_HOLD: "bad",
    NOT_RUN: "open",
    IN_PART: "open",
    ORGANISATION: "none",
    INDEPENDENT: "none",
    "PASS": "good",
    "FAIL": "bad",
    "INCOMPLETE": "open",
}
_MARKS = {
    "trip": "kill-switch trips",
    "rearm": "re-arm",
    "peak_reset": "peak reset",
    "restart": "restart",
    "flatten": "flatten",
    "other": "other",
}
_MARKS_LISTED = 60
NOTHING = '<span class="dim">–</span>'


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def _esc(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


def _badge(state: str) -> Html:
    return Html(f'<span class="badge {_CSS[state]}">{escape(state)}</span>')


def _table(
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
            f"<td{css(column)}>{_esc(cell) or NOTHING}</td>" for column, cell in enumerate(row)
        )
        body += f"<tr{extra}>{cells}</tr>\n"
    width = ' class="compact"' if compact else ""
    return (
        f'<div class="scroll"><table{width}><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>'
        "</table></div>"
    )


def _facts(pairs: Iterable[tuple[str, object]]) -> str:
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{_esc(value)}</dd>"
        for name, value in pairs
        if value not in ("", None)
    )
    return f"<dl>{rows}</dl>"


def _anchor(name: str) -> str:
    return "file-" + "".join(letter if letter.isalnum() else "-" for letter in name)


def _link(ref: FileRef, inputs: Inputs) -> Html:
    """Return a link to a file; one of the run's own is named from the run's folder."""
    where = os.path.relpath(ref.path.resolve(), inputs.run_dir.resolve())
    name = ref.name if where.startswith("..") else where
    return Html(f'<a href="{quote(where)}">{escape(name)}</a>')


def _source(claim: Claim, by_name: Mapping[str, FileRef], inputs: Inputs) -> Html:
    """Return the link to a claim's file, and its hash as a link to the list of files."""
    if claim.artefact not in by_name:
        return Html('<span class="dim">no file</span>')
    ref = by_name[claim.artefact]
    return Html(
        f'{_link(ref, inputs)}<br><a class="mono dim" href="#{_anchor(ref.name)}" '
        f'title="{ref.sha256}">{ref.sha256[:12]}…</a>'
    )


def _with_detail(text: str, detail: str) -> Html:
    more = f'<br><span class="dim">{escape(detail)}</span>' if detail else ""
    return Html(escape(text) + more)


def _missing(text: str) -> str:
    return f"<p>{_badge(NOT_RUN)} {escape(text)}</p>"


# --- page one ------------------------------------------------------------------------------------


def _verdicts(claims: tuple[Claim, ...]) -> str:
    said = verdicts(claims)
    own = [claim for claim in claims if claim.scope == SESSION]
    held = sum(claim.status == HOLDS for claim in own)
    return f"""<div class="verdicts">
<section class="verdict {_CSS[said.session]}"><div>The session</div>
<div class="word">{said.session}</div>
<p>{held} of {len(own)} claims about this session hold.</p></section>
<section class="verdict {_CSS[said.package]}"><div>The evidence package</div>
<div class="word">{said.package}</div>
<p>{said.holds} claims hold, {said.does_not_hold} do not hold,
{said.not_run} were not run.</p></section>
</div>"""


def _obstacles(claims: tuple[Claim, ...]) -> str:
    parts = []
    for state, title in ((DOES_NOT_HOLD, "What does not hold"), (NOT_RUN, "What was not run")):
        rows = [claim for claim in claims if claim.status == state]
        if not rows:
            parts.append(f"<h3>{title}</h3><p>Nothing.</p>")
            continue
        table = _table(
            ("claim", "says", "what makes it"),
            (
                (
                    Html(f'<a class="mono" href="#{claim.id}">{escape(claim.id)}</a>'),
                    _with_detail(claim.text, claim.detail),
                    Html(f"<code>{escape(claim.command)}</code>"),
                )
                for claim in rows
            ),
        )
        parts.append(f"<h3>{title} ({len(rows)})</h3>{table}")
    return "".join(parts)


def _gaps(inputs: Inputs) -> str:
    rows = ((Html(f"<b>{escape(gap.name)}</b>"), gap.missing, gap.limit) for gap in gaps(inputs))
    return (
        f'<h2 id="gaps">Gaps</h2><p>{escape(LABEL)}. These stand whatever the verdict says.</p>'
        + _table(("gap", "what is missing", "what limits it"), rows)
    )


# --- the session ---------------------------------------------------------------------------------


def _marks(inputs: Inputs) -> tuple[Mark, ...]:
    """Return what the plots point at: the session's own list, else each bar that was killed."""
    if inputs.bars is None:
        return ()
    first, last = inputs.bars["bar"][0], inputs.bars["bar"][-1]
    listed_marks = (inputs.session or {}).get("marks")
    if listed_marks:
        return tuple(
            Mark(
                row["bar"],
                row["kind"] if row["kind"] in _MARKS else "other",
                str(row.get("text", row["kind"])),
            )
            for row in listed_marks
            if first <= row["bar"] <= last
        )
    killed = inputs.bars["killed"]
    return tuple(
        Mark(first + index, "trip", "killed")
        for index in range(len(killed))
        if killed[index] and (index == 0 or not killed[index - 1])
    )


def _key(kind: str) -> str:
    return (
        '<svg class="key" viewBox="-8 -8 16 16" aria-hidden="true">'
        f"{mark_glyph(kind, 0, 0)}</svg> {_MARKS[kind]}"
    )


def _plots(inputs: Inputs) -> str:
    bars = inputs.bars
    if bars is None:
        return _missing(
            f"No plots: {inputs.bars_file.name} "
            + ("was tampered with." if inputs.bars_file.tampered else "is missing.")
        )
    marks = _marks(inputs)
    present = sorted({mark.kind for mark in marks}, key=list(_MARKS).index)
    key = " ".join(f'<span class="keyed">{_key(kind)}</span>' for kind in present)
    shares = ", ".join(
        f"{name} {100 * bars['posture'].count(number) / len(bars['posture']):.1f} %"
        for number, name in reversed(tuple(enumerate(POSTURES)))
    )
    with_day = bars["market_time_ms"][-1] - bars["market_time_ms"][0] >= 86_400_000
    first = bars["bar"][0]
    rows = [
        (
            f"{mark.bar:,}",
            bar_time(bars["market_time_ms"][mark.bar - first], with_day=with_day),
            Html(_key(mark.kind)),
            mark.text,
        )
        for mark in marks
    ]
    table = ""
    if rows:
        more = len(rows) - _MARKS_LISTED
        table = (
            f"<details open><summary>{len(rows)} marks</summary>"
            + _table(("bar", "UTC", "what", "why"), rows[:_MARKS_LISTED], frozenset({0}))
            + (f'<p class="dim">and {more} more, in the journal</p>' if more > 0 else "")
            + "</details>"
        )
    return f"""<figure><figcaption><b>Equity</b>, USDT, and drawdown below its peak.</figcaption>
<div class="scroll">{equity_plot(bars, marks)}</div></figure>
<figure><figcaption><b>Multiplier and its five factors.</b> Blue: the total risk
multiplier R. Grey: the target that the sensors call for. Down at once, up only bar by bar. Each
factor runs from 0 to 1.</figcaption>
<div class="scroll">{multiplier_plot(bars, marks)}</div></figure>
<figure><figcaption><b>Posture</b>: {shares}. {key}</figcaption>
<div class="scroll">{posture_plot(bars, marks)}</div>{table}</figure>"""


def _session(inputs: Inputs, claims: tuple[Claim, ...]) -> str:
    head = '<h2 id="session">The session</h2>'
    session = inputs.session
    if session is None:
        return head + _missing(f"{inputs.session_file.name} is missing.") + _plots(inputs)
    command = session.get("command", "")
    command = command if isinstance(command, str) else " ".join(map(str, command))
    data = session.get("data")
    if isinstance(data, dict):
        digest = str(data.get("sha256", ""))
        data = Html(
            f"<code>{escape(str(data.get('path', '?')))}</code>"
            + (f' <span class="mono dim">{escape(digest)}</span>' if digest else "")
        )
    elif data is None:
        data = "built-in market, generated from the seed"
    windows = ", ".join(str(window) for window in session.get("windows", []))
    dirty = " (with changes that are in no revision)" if session.get("dirty") else ""
    facts = [
        ("command", Html(f"<code>{escape(command)}</code>") if command else ""),
        ("market", data),
        (
            "profile, seed",
            f"{session.get('profile', 'not said')}, {session.get('seed', 'not said')}",
        ),
        ("windows", windows),
        ("from, to", f"{session.get('started', 'not said')} to {session.get('ended', 'not said')}"),
        ("revision", f"{session.get('commit') or 'not recorded'}{dirty}"),
        *((str(name), str(value)) for name, value in session.get("machine", {}).items()),
    ]
    by_id = {claim.id: claim for claim in claims}
    shown = [claim for name, claim in by_id.items() if name.startswith("SHOWN-")]
    parts = [head, _facts(facts), "<h3>What the session had to show</h3>"]
    if shown:
        parts.append(
            _table(
                ("state", "shown", "how"),
                (
                    (
                        _badge(claim.status),
                        claim.text.removeprefix("Shown in the session: "),
                        claim.detail,
                    )
                    for claim in shown
                ),
            )
        )
    else:
        parts.append(_missing("Nothing is listed as shown."))
    parts.append(_plots(inputs))
    counts = session.get("counts", {})
    if counts:
        parts.append(
            "<h3>Counts</h3>"
            + _facts(
                (
                    str(name).replace("_", " "),
                    f"{value:,}" if isinstance(value, int) else str(value),
                )
                for name, value in counts.items()
            ).replace("<dl>", '<dl class="counts">')
        )
    refusals = session.get("refusals")
    parts.append("<h3>Why the kernel refused</h3>")
    if refusals:
        numbers = {str(name): int(count) for name, count in refusals.items()}
        given = sum(1 for count in numbers.values() if count)
        parts.append(
            f"<figure><figcaption>{given} of {len(numbers)} reasons were given, "
            f"{sum(numbers.values()):,} times in all.</figcaption>"
            f'<div class="scroll">{refusals_plot(numbers)}</div></figure>'
        )
    else:
        parts.append(_missing("The session records no refusals."))
    stand_ins = session.get("stand_ins")
    parts.append("<h3>What stands in for a sensor</h3>")
    if stand_ins is None:
        parts.append(_missing("The session does not say."))
    elif not stand_ins:
        parts.append("<p>Nothing: every sensor had its own data.</p>")
    else:
        parts.append(_table(("sensor", "stand-in"), sorted(stand_ins.items())))
    parts.append("<h3>Processes and isolation</h3>")
    processes = session.get("processes")
    if processes:
        heads = [
            key
            for key in ("name", "level", "pid", "uid", "user", "exit")
            if any(key in row for row in processes)
        ]
        parts.append(
            _table(
                heads,
                ([row.get(key, "not said") for key in heads] for row in processes),
                compact=True,
            )
        )
    else:
        parts.append(_missing("The session records no processes."))
    measures = session.get("isolation")
    if measures:
        parts.append(
            _table(
                ("measure", "state", "detail"),
                (
                    (
                        row["measure"],
                        _badge(HOLDS if row["held"] else NOT_RUN),
                        row.get("detail", ""),
                    )
                    for row in measures
                ),
            )
        )
    else:
        parts.append(_missing("The session records no measure of isolation: none is assumed."))
    return "".join(parts)


# --- audit, models, tests ------------------------------------------------------------------------


def _claims_table(rows: Sequence[Claim], by_name: Mapping[str, FileRef], inputs: Inputs) -> str:
    return _table(
        ("state", "claim", "file and hash"),
        (
            (
                _badge(claim.status),
                _with_detail(claim.text, claim.detail),
                _source(claim, by_name, inputs),
            )
            for claim in rows
        ),
    )


def _share(value: object) -> str:
    """Return a coverage figure of the audit in words: a count of a total, a list, or itself."""
    if isinstance(value, Mapping):
        pairs = (("covered", "total"), ("seen", "total"), ("visited", "total"), ("taken", "total"))
        for done, total in pairs:
            if isinstance(value.get(done), int) and isinstance(value.get(total), int):
                text = f"{value[done]:,} of {value[total]:,}"
                missing = value.get("missing")
                if isinstance(missing, list) and missing:
                    text += f"; never: {listed(map(str, missing), 12)}"
                return text
        return ", ".join(f"{key}: {_share(item)}" for key, item in value.items())
    if isinstance(value, list):
        return f"{len(value)}: {listed(map(str, value), 30)}"
    if isinstance(value, float):
        return f"{100 * value:.1f} %"
    return "not measured" if value is None else str(value)


def _audit(inputs: Inputs, claims: tuple[Claim, ...], by_name: Mapping[str, FileRef]) -> str:
    rows = [claim for claim in claims if claim.id.startswith("AUD-")]
    parts = ['<h2 id="audit">Audit of the journal</h2>', _claims_table(rows, by_name, inputs)]
    audit = inputs.audit
    if audit is not None:
        records = audit.get("records")
        coverage = audit.get("coverage") or {}
        facts: list[tuple[str, object]] = [
            ("records", f"{records:,}" if isinstance(records, int) else str(records or "not said"))
        ]
        facts += [(f"{name} covered", _share(value)) for name, value in coverage.items()]
        if audit.get("rejection"):
            facts.append(("rejected", rejection_text(audit["rejection"])))
        parts.append(_facts(facts))
    return "".join(parts)


def _models(inputs: Inputs, claims: tuple[Claim, ...], by_name: Mapping[str, FileRef]) -> str:
    head = '<h2 id="models">Model checks</h2>'
    check = inputs.check
    whole = [claim for claim in claims if claim.id in ("MOD-SUITE", "MOD-CONTROLS")]
    parts = [head, _claims_table(whole, by_name, inputs)]
    if check is None:
        return "".join(parts)
    manifest = {row["name"]: row for row in (inputs.manifest or {}).get("models", [])}
    heads = (
        "model",
        "mode",
        "expected",
        "result",
        "distinct",
        "generated",
        "diameter",
        "seconds",
        "state",
    )

    def cells(row: Mapping[str, Any]) -> tuple[object, ...]:
        pinned = manifest.get(row["name"])
        problems = model_problems(row, pinned)
        if problems:
            state: Html = Html(_badge(DOES_NOT_HOLD) + f"<br>{escape('; '.join(problems))}")
        elif is_stale(row, pinned, inputs.configurations):
            state = Html(_badge(NOT_RUN) + "<br>its configuration changed since")
        else:
            state = _badge(HOLDS)
        counts = [
            f"{row[key]:,}" if isinstance(row.get(key), int | float) else "not said"
            for key in ("distinct", "generated", "diameter", "seconds")
        ]
        return (row["name"], row["mode"], row["expected"], row["result"], *counts, state)

    good = [cells(row) for row in check["models"] if row["expected"] == "success"]
    bad = [cells(row) for row in check["models"] if row["expected"] != "success"]
    absent = [
        row
        for name, row in manifest.items()
        if name not in {item["name"] for item in check["models"]}
    ]
    good += [
        (
            row["name"],
            row.get("mode", "not said"),
            row["expected"],
            "not run",
            *["not run"] * 4,
            _badge(NOT_RUN),
        )
        for row in absent
    ]
    numbers = frozenset({4, 5, 6, 7})
    parts.append(_table(heads, good, numbers))
    total = check["negative_controls"].get("total", len(bad))
    as_wanted = check["negative_controls"].get("failed_as_expected", 0)
    parts.append(
        f"<h3>Negative controls</h3><p>Each is a good model with one guard or one conjunct "
        f"off, and must fail on the property it names. {as_wanted} of {total} did.</p>"
    )
    if bad:
        parts.append(
            f"<details><summary>All {len(bad)} controls</summary>"
            f"{_table(heads, bad, numbers)}</details>"
        )
    return "".join(parts)


def _tests(inputs: Inputs, claims: tuple[Claim, ...], by_name: Mapping[str, FileRef]) -> str:
    rows = [
        claim
        for claim in claims
        if claim.id.startswith(("CON-", "TST-", "COV-", "MUT-", "PRF-", "REQ-"))
    ]
    parts = [
        '<h2 id="tests">Conformance, tests, coverage, proof</h2>',
        _claims_table(rows, by_name, inputs),
    ]
    models = (inputs.corpus or {}).get("models")
    if isinstance(models, list) and models:
        parts.append(
            "<h3>Edges replayed through the kernel</h3>"
            + _table(
                ("model", "edges"),
                (
                    (row.get("name", "?"), f"{row.get('edges', 0):,}")
                    for row in models
                    if isinstance(row, Mapping)
                ),
                frozenset({1}),
                compact=True,
            )
        )
    for run in inputs.tests:
        why = stale_because(inputs, run.finished)
        note = f" {_badge(NOT_RUN)} {escape(why)}." if why else ""
        parts.append(
            f"<h3>Test run</h3><p>{_link(run.file, inputs)}: {run.total:,} tests, "
            f"{run.passed:,} passed, {run.skipped} skipped, {len(run.failing)} failed.{note}</p>"
        )
        parts.append(
            _table(
                ("folder", "passed", "skipped", "failed"),
                (
                    (name, f"{numbers[0]:,}", f"{numbers[1]:,}", f"{numbers[2]:,}")
                    for name, numbers in run.folders.items()
                ),
                frozenset({1, 2, 3}),
                compact=True,
            )
        )
    if inputs.coverage is not None:
        totals: dict[str, list[int]] = {}
        for name, data in inputs.coverage["files"].items():
            folder = name.replace("\\", "/").split("/")[0]
            summary = data.get("summary", {})
            sums = totals.setdefault(folder, [0, 0, 0, 0])
            for place, key in enumerate(
                ("covered_lines", "num_statements", "covered_branches", "num_branches")
            ):
                sums[place] += summary.get(key, 0)
        parts.append(
            "<h3>Statements and branches executed</h3>"
            + _table(
                ("package", "statements", "branches"),
                (
                    (name, f"{sums[0]:,} of {sums[1]:,}", f"{sums[2]:,} of {sums[3]:,}")
                    for name, sums in sorted(totals.items())
                ),
                frozenset({1, 2}),
                compact=True,
            )
        )
    return "".join(parts)


# --- criteria, claims, files ---------------------------------------------------------------------


def _criteria(claims: tuple[Claim, ...]) -> str:
    rows = []
    for row in assess(claims):
        criterion = row.criterion
        held = [name for name in row.found if name not in row.open]
        basis = [f"open: {listed(row.open, 5)}"] if row.open else []
        basis += [f"rests on {listed(held, 5)}"] if held else []
        if criterion.kind in (ORGANISATION, INDEPENDENT):
            basis = ["nothing that a program can show"]
        rows.append(
            (
                criterion.number,
                criterion.title,
                _badge(row.status),
                criterion.text,
                Html(f'<span class="dim">{escape("; ".join(basis))}</span>'),
            )
        )
    return (
        '<h2 id="appendix-b">10 CFR 50 Appendix B</h2><p>How far artefacts reach each criterion. '
        "Those that need an organisation or an independent person are never met here, and two are "
        "met at most in part.</p>" + _table(("no.", "criterion", "state", "how", "claims"), rows)
    )


def _all_claims(claims: tuple[Claim, ...], by_name: Mapping[str, FileRef], inputs: Inputs) -> str:
    rows = [
        (
            Html(f'<span class="mono">{escape(claim.id)}</span>'),
            _badge(claim.status),
            _with_detail(claim.text, claim.detail),
            claim.scope,
            _source(claim, by_name, inputs),
            Html(f"<code>{escape(claim.command)}</code>"),
        )
        for claim in claims
    ]
    marks = {number: f'id="{escape(claim.id)}"' for number, claim in enumerate(claims)}
    return (
        f'<h2 id="claims">Every claim</h2><p>{len(claims)} claims. Of scope "session" are those '
        "that the session's verdict rests on; the package's verdict rests on all.</p>"
        + _table(("id", "state", "claim", "scope", "file and hash", "made by"), rows, marks=marks)
    )


def _files(inputs: Inputs) -> str:
    refs = inputs.files
    rows = []
    for ref in refs:
        state = "not recorded by the session"
        if ref.recorded:
            state = "as recorded" if not ref.tampered else "NOT as recorded"
        rows.append((_link(ref, inputs), f"{ref.size:,}", ref.sha256, state))
    marks = {
        number: f'id="{_anchor(ref.name)}"' + (' class="bad"' if ref.tampered else "")
        for number, ref in enumerate(refs)
    }
    return (
        f'<h2 id="files">Every file, with its hash</h2><p>{len(refs)} files were read. Hashes are '
        "SHA-256 of the whole file.</p>"
        + _table(
            ("file", "bytes", "SHA-256", "against the record"),
            rows,
            frozenset({1}),
            marks,
            hashes=2,
        )
    )


def page(inputs: Inputs, claims: tuple[Claim, ...]) -> str:
    """Return the report as one HTML page that needs nothing beside it."""
    by_name = {ref.name: ref for ref in inputs.files}
    session = inputs.session or {}
    run = str(session.get("id", inputs.run_dir.name))
    css = package_files("certification").joinpath("page.css").read_text(encoding="utf-8")
    when = str(session.get("started", ""))
    links = (
        ("gaps", "Gaps"),
        ("session", "Session"),
        ("audit", "Audit"),
        ("models", "Models"),
        ("tests", "Tests and coverage"),
        ("appendix-b", "Appendix B"),
        ("claims", "Claims"),
        ("files", "Files"),
    )
    nav = "".join(f'<a href="#{name}">{title}</a>' for name, title in links)
    said = verdicts(claims)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(run)}: session {said.session}, evidence {said.package}</title>
<style>
{css}</style></head>
<body><main>
<header><h1>Evidence report</h1>
<p class="dim">Run <b>{escape(run)}</b>{escape(" · " + when) if when else ""}
· profile {escape(str(session.get("profile", "not said")))}</p>
<p class="label">{escape(LABEL)}</p></header>
{_verdicts(claims)}
<nav aria-label="Sections">{nav}</nav>
{_gaps(inputs)}
<h2 id="open">What stands between this and a pass</h2>
{_obstacles(claims)}
{_session(inputs, claims)}
{_audit(inputs, claims, by_name)}
{_models(inputs, claims, by_name)}
{_tests(inputs, claims, by_name)}
{_criteria(claims)}
{_all_claims(claims, by_name, inputs)}
{_files(inputs)}
</main></body></html>
"""
