"""``report.html``: one self-contained page, each statement of it linked to its evidence.

Rules of this file:

*   The order is the reader's: verdict, what stands in its way, the gaps; then the session, the
    audit, the models, the tests; then the criteria, every claim, every file with its hash.
*   All text from a file is escaped. No script, no font, no picture from elsewhere.
*   What is missing is said in words in the place where it would be.
*   Nothing is judged here: states come from ``claims.py`` and ``appendix_b.py``.

Not here: plots (``plots.py``), colours (``page.css``).
"""

from collections.abc import Mapping
from html import escape
from importlib.resources import files as package_files
from typing import Any

from certification.appendix_b import INDEPENDENT, ORGANISATION, assess
from certification.artefacts import FileRef, Inputs
from certification.claims import (
    DOES_NOT_HOLD,
    HOLDS,
    NOT_RUN,
    SESSION,
    Claim,
    listed,
    verdicts,
)
from certification.collectors.audit import rejection_text
from certification.collectors.models import judge_row
from certification.collectors.tests import stale_because
from certification.gaps import LABEL, gaps
from certification.html import (
    VERDICT_CSS,
    Html,
    anchor,
    badge,
    claims_table,
    facts,
    link,
    source,
    table,
    with_detail,
)
from certification.page_session import session_section

# --- page one ------------------------------------------------------------------------------------


def _verdicts(claims: tuple[Claim, ...]) -> str:
    said = verdicts(claims)
    own = [claim for claim in claims if claim.scope == SESSION]
    held = sum(claim.status == HOLDS for claim in own)
    return f"""<div class="verdicts">
<section class="verdict {VERDICT_CSS[said.session]}"><div>The session</div>
<div class="word">{said.session}</div>
<p>{held} of {len(own)} claims about this session hold.</p></section>
<section class="verdict {VERDICT_CSS[said.package]}"><div>The evidence package</div>
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
        listed_claims = table(
            ("claim", "says", "what makes it"),
            (
                (
                    Html(f'<a class="mono" href="#{claim.id}">{escape(claim.id)}</a>'),
                    with_detail(claim.text, claim.detail),
                    Html(f"<code>{escape(claim.command)}</code>"),
                )
                for claim in rows
            ),
        )
        parts.append(f"<h3>{title} ({len(rows)})</h3>{listed_claims}")
    return "".join(parts)


def _gaps(inputs: Inputs) -> str:
    rows = ((Html(f"<b>{escape(gap.name)}</b>"), gap.missing, gap.limit) for gap in gaps(inputs))
    return (
        f'<h2 id="gaps">Gaps</h2><p>{escape(LABEL)}. These stand whatever the verdict says.</p>'
        + table(("gap", "what is missing", "what limits it"), rows)
    )


# --- audit, models, tests ------------------------------------------------------------------------


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
    parts = ['<h2 id="audit">Audit of the journal</h2>', claims_table(rows, by_name, inputs)]
    audit = inputs.audit
    if audit is not None:
        records = audit.get("records")
        coverage = audit.get("coverage") or {}
        figures: list[tuple[str, object]] = [
            ("records", f"{records:,}" if isinstance(records, int) else str(records or "not said"))
        ]
        figures += [(f"{name} covered", _share(value)) for name, value in coverage.items()]
        parts.append(facts(figures))
        if audit.get("rejection"):
            told = escape(rejection_text(audit["rejection"]))
            parts.append(f"<h3>The first record that was rejected</h3><pre>{told}</pre>")
    return "".join(parts)


def _models(inputs: Inputs, claims: tuple[Claim, ...], by_name: Mapping[str, FileRef]) -> str:
    head = '<h2 id="models">Model checks</h2>'
    check = inputs.check
    whole = [claim for claim in claims if claim.id in ("MOD-SUITE", "MOD-CONTROLS")]
    parts = [head, claims_table(whole, by_name, inputs)]
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
        status, detail = judge_row(row, inputs)
        state = Html(badge(status) + (f"<br>{escape(detail)}" if detail else ""))
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
            badge(NOT_RUN),
        )
        for row in absent
    ]
    numbers = frozenset({4, 5, 6, 7})
    parts.append(table(heads, good, numbers))
    total = check["negative_controls"].get("total", len(bad))
    as_wanted = check["negative_controls"].get("failed_as_expected", 0)
    parts.append(
        f"<h3>Negative controls</h3><p>Each is a good model with one guard or one conjunct "
        f"off, and must fail on the property it names. {as_wanted} of {total} did.</p>"
    )
    if bad:
        parts.append(
            f"<details><summary>All {len(bad)} controls</summary>"
            f"{table(heads, bad, numbers)}</details>"
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
        claims_table(rows, by_name, inputs),
    ]
    graphs = (inputs.pinned_corpus or {}).get("graphs")
    if graphs:
        parts.append(
            "<h3>Edges replayed through the kernel</h3>"
            + table(
                ("graph", "states", "edges", "accepted", "reasons to refuse"),
                (
                    (
                        graph["name"],
                        f"{graph.get('states', 0):,}",
                        f"{graph['edges']:,}",
                        f"{graph.get('accepted', 0):,}",
                        str(len(graph.get("reasons", {}))),
                    )
                    for graph in graphs
                ),
                frozenset({1, 2, 3, 4}),
                compact=True,
            )
        )
    for run in inputs.tests:
        why = stale_because(inputs, run.started)
        note = f" {badge(NOT_RUN)} {escape(why)}." if why else ""
        parts.append(
            f"<h3>Test run</h3><p>{link(run.file, inputs)}: {run.total:,} tests, "
            f"{run.passed:,} passed, {run.skipped} skipped, {len(run.failing)} failed.{note}</p>"
        )
        parts.append(
            table(
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
            + table(
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
                badge(row.status),
                criterion.text,
                Html(f'<span class="dim">{escape("; ".join(basis))}</span>'),
            )
        )
    return (
        '<h2 id="appendix-b">10 CFR 50 Appendix B</h2><p>How far artefacts reach each criterion. '
        "Those that need an organisation or an independent person are never met here, and two are "
        "met at most in part.</p>" + table(("no.", "criterion", "state", "how", "claims"), rows)
    )


def _all_claims(claims: tuple[Claim, ...], by_name: Mapping[str, FileRef], inputs: Inputs) -> str:
    rows = [
        (
            Html(f'<span class="mono">{escape(claim.id)}</span>'),
            badge(claim.status),
            with_detail(claim.text, claim.detail),
            claim.scope,
            source(claim, by_name, inputs),
            Html(f"<code>{escape(claim.command)}</code>"),
        )
        for claim in claims
    ]
    marks = {number: f'id="{escape(claim.id)}"' for number, claim in enumerate(claims)}
    return (
        f'<h2 id="claims">Every claim</h2><p>{len(claims)} claims. Of scope "session" are those '
        "that the session's verdict rests on; the package's verdict rests on all.</p>"
        + table(("id", "state", "claim", "scope", "file and hash", "made by"), rows, marks=marks)
    )


def _files(inputs: Inputs) -> str:
    refs = inputs.files
    rows = []
    for ref in refs:
        state = "not recorded by the session"
        if ref.recorded:
            state = "as recorded" if not ref.tampered else "NOT as recorded"
        rows.append((link(ref, inputs), f"{ref.size:,}", ref.sha256, state))
    marks = {
        number: f'id="{anchor(ref.name)}"' + (' class="bad"' if ref.tampered else "")
        for number, ref in enumerate(refs)
    }
    return (
        f'<h2 id="files">Every file, with its hash</h2><p>{len(refs)} files were read. Hashes are '
        "SHA-256 of the whole file.</p>"
        + table(
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
    nav = " ".join(f'<a href="#{name}">{title}</a>' for name, title in links)
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
{session_section(inputs, claims)}
{_audit(inputs, claims, by_name)}
{_models(inputs, claims, by_name)}
{_tests(inputs, claims, by_name)}
{_criteria(claims)}
{_all_claims(claims, by_name, inputs)}
{_files(inputs)}
</main></body></html>
"""
