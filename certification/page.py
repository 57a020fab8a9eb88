"""``report.html``: one self-contained page, each statement of it linked to its evidence.

Rules of this file:

*   The order is the reader's: verdict, equity and result, the trades; then what is shown and what
    is missing, the gaps; then the session in full, audit, models, tests; then two standards, every
    claim, every file with its hash. What is long is folded.
*   The template (``templates/report.html`` and its parts) has the words, this file the figures.
*   What is missing is said in words in the place where it would be.
*   Nothing is judged here: states come from ``claims.py`` and ``standards.py``.

Not here: plots (``plots.py``), how text becomes HTML (``render.py``), colours (``report.css``).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from certification.annex_a import TABLES
from certification.appendix_b import CRITERIA
from certification.areas import summaries
from certification.artefacts import Inputs
from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, SESSION, Claim, listed, verdicts
from certification.collectors.audit import rejection_text
from certification.collectors.models import judge_row
from certification.collectors.tests import stale_because
from certification.gaps import LABEL, gaps
from certification.page_session import result_view, session_view
from certification.render import Links, number, render, style
from certification.standards import STATUSES, Assessed, assess
from certification.standing import RECORDED

SECTIONS = (
    ("trades", "Trades"),
    ("evidence", "Evidence"),
    ("gaps", "Gaps"),
    ("session", "Session"),
    ("audit", "Audit"),
    ("models", "Models"),
    ("tests", "Tests"),
    ("standards", "Standards"),
    ("claims", "Claims"),
    ("files", "Files"),
)


def share(value: object) -> str:
    """Return a coverage figure of the audit in words: a count of a total, a list, or itself."""
    if isinstance(value, Mapping):
        for done in ("covered", "seen", "visited", "taken"):
            if isinstance(value.get(done), int) and isinstance(value.get("total"), int):
                text = f"{value[done]:,} of {value['total']:,}"
                missing = value.get("missing")
                if isinstance(missing, list) and missing:
                    text += f"; never: {listed(map(str, missing), 12)}"
                return text
        return ", ".join(f"{key}: {share(item)}" for key, item in value.items())
    if isinstance(value, list):
        return f"{len(value)}: {listed(map(str, value), 30)}"
    if isinstance(value, float):
        return f"{100 * value:.1f} %"
    return "not measured" if value is None else str(value)


def _starting(claims: tuple[Claim, ...], *stems: str) -> list[Claim]:
    return [claim for claim in claims if claim.id.startswith(stems)]


def _audit(inputs: Inputs, claims: tuple[Claim, ...]) -> dict[str, Any]:
    audit = inputs.audit or {}
    figures = [("records", number(audit.get("records")))] if inputs.audit is not None else []
    coverage = audit.get("coverage") or {}
    figures += [(f"{name} of the models seen", share(value)) for name, value in coverage.items()]
    rejection = audit.get("rejection")
    return {
        "claims": _starting(claims, "AUD-"),
        "figures": figures,
        "rejection": rejection_text(rejection) if rejection else "",
    }


def _model_row(row: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    status, detail = judge_row(row, inputs)
    counts = [number(row.get(key)) for key in ("distinct", "generated", "diameter", "seconds")]
    return {**row, "status": status, "detail": detail, "counts": counts}


def _models(inputs: Inputs, claims: tuple[Claim, ...]) -> dict[str, Any]:
    whole = [claim for claim in claims if claim.id in ("MOD-SUITE", "MOD-CONTROLS")]
    view: dict[str, Any] = {"claims": whole, "good": [], "bad": [], "total": 0, "as_wanted": 0}
    check = inputs.check
    if check is None:
        return view
    named = {item["name"] for item in check["models"]}
    rows = [_model_row(row, inputs) for row in check["models"]]
    absent = [
        {
            "name": row["name"],
            "mode": row.get("mode", "not said"),
            "expected": row["expected"],
            "result": NOT_RUN,
            "status": NOT_RUN,
            "detail": "",
            "counts": [NOT_RUN] * 4,
        }
        for row in (inputs.manifest or {}).get("models", [])
        if row["name"] not in named
    ]
    controls = check["negative_controls"]
    view["good"] = [row for row in (*rows, *absent) if row["expected"] == "success"]
    view["bad"] = [row for row in (*rows, *absent) if row["expected"] != "success"]
    view["total"] = controls["total"]
    view["as_wanted"] = controls["failed_as_expected"]
    return view


def _tests(inputs: Inputs, claims: tuple[Claim, ...]) -> dict[str, Any]:
    return {
        "claims": _starting(claims, "CON-", "TST-", "COV-", "MUT-", "PRF-", "REQ-"),
        "graphs": (inputs.pinned_corpus or {}).get("graphs") or [],
        "runs": [(run, stale_because(inputs, run)) for run in inputs.tests],
    }


def basis(one: Assessed) -> str:
    """Return which claims a standard's row rests on, and which of them are open."""
    held = [name for name in one.found if name not in one.open]
    said = [f"open: {listed(one.open, 5)}"] if one.open else []
    said += [f"rests on {listed(held, 5)}"] if held else []
    return "; ".join(said) or "nothing that a program can show"


def _standards(claims: tuple[Claim, ...]) -> dict[str, Any]:
    tables = [
        (name, title, [(one, basis(one)) for one in assess(rows, claims)])
        for name, title, rows in TABLES
    ]
    criteria = [(one, basis(one)) for one in assess(CRITERIA, claims)]

    def count(rows: list[tuple[Assessed, str]]) -> list[tuple[str, int]]:
        found = Counter(one.status for one, _ in rows)
        return [(status, found[status]) for status in STATUSES if found[status]]

    every = [row for _, _, rows in tables for row in rows]
    return {
        "annex": [(name, title, rows, count(rows)) for name, title, rows in tables],
        "annex_counts": count(every),
        "objectives": len(every),
        "criteria": criteria,
        "criteria_counts": count(criteria),
    }


def _files(inputs: Inputs) -> list[tuple[Any, str]]:
    return [
        (ref, "NOT as recorded" if ref.tampered else "as recorded" if ref.recorded
         else "not recorded by the session")
        for ref in inputs.files
    ]  # fmt: skip


def _recorded_when(inputs: Inputs) -> str:
    """Return from when to when the records are; "" without any."""
    days = sorted(one.when for one in inputs.standings.values() if one.record is not None)
    if not days:
        return ""
    return days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def page(inputs: Inputs, claims: tuple[Claim, ...]) -> str:
    """Return the report as one HTML page that needs nothing beside it."""
    session = inputs.session or {}
    own = [claim for claim in claims if claim.scope == SESSION]
    return render(
        "report.html",
        css=style("report.css"),
        links=Links(inputs),
        label=LABEL,
        sections=SECTIONS,
        run=str(session.get("id", inputs.run_dir.name)),
        when=str(session.get("started", "")),
        profile=str(session.get("profile", "not said")),
        said=verdicts(claims),
        recorded=sum(one.status == HOLDS and one.basis == RECORDED for one in claims),
        records=list(inputs.standings.values()),
        recorded_when=_recorded_when(inputs),
        own_held=sum(claim.status == HOLDS for claim in own),
        own_total=len(own),
        own_not_run=sum(claim.status == NOT_RUN for claim in own),
        result=result_view(inputs),
        areas=summaries(claims),
        broken=[claim for claim in claims if claim.status == DOES_NOT_HOLD],
        open=[claim for claim in claims if claim.status == NOT_RUN],
        gaps=gaps(inputs),
        session=session_view(inputs, claims),
        audit=_audit(inputs, claims),
        models=_models(inputs, claims),
        tests=_tests(inputs, claims),
        standards=_standards(claims),
        claims=claims,
        files=_files(inputs),
    )
