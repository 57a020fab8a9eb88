"""What a run's data shows: obligations, figures, gaps; as text, JSON and HTML.

Rules of this file:

*   An *obligation* is one thing that tests have to show: a statement runs, a branch is taken, a
    condition decides. It is met by the counted groups or not; a gap is one that is neither met nor
    justified. Figures count obligations, and say apart what is justified.
*   What only groups that do not count have reached is a gap, and says so.
*   A decision inside a contract (`--contract NAME`, a decorator) is no obligation: it comes false
    only where the code is wrong. The report says how many there are, and how many were evaluated.
*   What only contracts ask that production leaves out (`--contract-part NAME`, `reach.py`) is
    counted apart, with its own figures and gaps: the contract's own obligations.
*   Lines are counted as Python counts them: a form feed or a line separator ends none.
*   A value that is not a Boolean is no decision. A comparison that only ever gave such values is
    left out, and counted.

Not here: pairs (`decisions.py`), the file of justifications (`justify.py`).
"""

import html
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .decisions import Decision, digits, missing, outcome, pairs, words
from .instrument import BRANCHING, Inventory
from .reach import only_for_contracts
from .runtime import BadInput, Data, survey, unchanged, walk, written

COUNTED = {
    "req": ("import", "requirement"),
    "all": ("import", "requirement", "unmarked", "program"),
}
KINDS = {
    "statement": "statements",
    "branch": "branches",
    "evaluated": "conditions",
    "condition": "mcdc",
}


@dataclass
class Obligation:
    """One thing to show. `item` tells apart what `code` has several of (a way, a condition)."""

    kind: str
    module: str
    file: str
    line: int
    function: str
    code: str
    item: str
    digest: str
    words: str
    met: bool
    by: str = ""
    occurrence: int = 1
    excuse: str = ""
    apart: bool = False

    @property
    def key(self) -> tuple[str, str, str, str, str, int]:
        """Return what a justification names it by."""
        return self.module, self.function, self.kind, self.code, self.item, self.occurrence

    def document(self) -> dict[str, Any]:
        """Return it as JSON's types, with the names that a justification uses."""
        named = dict(zip(("module", "function", "kind", "code", "item"), self.key, strict=False))
        place = {"occurrence": self.occurrence, "file": self.file, "line": self.line}
        more = {"hash": self.digest, "says": self.words, "reached": self.by, "excuse": self.excuse}
        return {**named, **place, **more}


@dataclass
class Report:
    """The whole report."""

    count: str
    tests: dict[str, int]
    obligations: list[Obligation] = field(default_factory=list)
    sources: dict[str, tuple[str, str]] = field(default_factory=dict)
    contracts: int = 0
    contracts_evaluated: int = 0
    not_boolean: int = 0
    unrecorded: int = 0
    findings: list[str] = field(default_factory=list)
    predicates: list[str] = field(default_factory=list)

    @property
    def open(self) -> list[Obligation]:
        """Return what is neither met nor justified, in code and in contracts."""
        return [o for o in self.obligations if not o.met and not o.excuse and o.kind != "evaluated"]

    @property
    def gaps(self) -> list[Obligation]:
        """Return the gaps of the code."""
        return [o for o in self.open if not o.apart]

    @property
    def evidence(self) -> int:
        """Return how many tests count."""
        return sum(self.tests.get(group, 0) for group in COUNTED[self.count])

    def figures(self, module: str | None = None, apart: bool = False) -> dict[str, dict[str, int]]:
        """Return total, covered and justified of each kind, for one module or for all.

        Of the code; of what only contracts ask, if `apart`.
        """
        found = {name: {"total": 0, "covered": 0, "justified": 0} for name in KINDS.values()}
        for each in self.obligations:
            if module in (None, each.module) and each.apart == apart:
                row = found[KINDS[each.kind]]
                row["total"] += 1
                row["covered"] += each.met
                row["justified"] += bool(each.excuse) and not each.met
        return found

    def document(self) -> dict[str, Any]:
        """Return the report as JSON's types."""
        gaps = self.gaps
        return {
            "ok": not gaps and not self.findings and self.evidence > 0,
            "counted": self.count,
            "tests": self.tests,
            "coverage": self.figures(),
            "modules": {name: self.figures(name) for name in self.sources},
            "gaps": [each.document() for each in gaps],
            "justified": [
                o.document() for o in self.obligations if o.excuse and o.kind != "evaluated"
            ],
            "reached_without_evidence": sum(1 for each in gaps if each.by),
            "contracts": {"decisions": self.contracts, "evaluated": self.contracts_evaluated},
            "contract_predicates": {
                "functions": self.predicates,
                "coverage": self.figures(apart=True),
                "gaps": [each.document() for each in self.open if each.apart],
            },
            "not_boolean": self.not_boolean,
            "unrecorded": self.unrecorded,
            "findings": self.findings,
        }


def build(
    data: Data, count: str, contracts: Iterable[str] = (), parts: Iterable[str] = ()
) -> Report:
    """Judge a run's data. Raises `BadInput` where a source has changed since.

    `contracts` and `parts` name decorators; the latter are contracts that production leaves out.
    """
    report = Report(count, data.tests, unrecorded=data.unrecorded)
    left_out = frozenset(parts)
    contracts = left_out.union(contracts)
    sources = {name: source for name, _, source in walk(data)}
    apart = only_for_contracts(sources, left_out) if left_out else frozenset()
    report.predicates = sorted(f"{module}.{function}" for module, function in apart)
    for file, expected in data.witnesses.items():
        unchanged(file, expected)
    for name, path, source in walk(data):
        groups = data.hits.get(name, {})
        counted = set[int]().union(*(groups.get(group, ()) for group in COUNTED[count]))
        others = {g: codes for g, codes in groups.items() if g not in COUNTED[count]}
        report.sources[name] = str(path), written(source)
        found = judge(report, surveyed(path, source, contracts), counted, name, str(path))
        for group, codes in sorted(others.items()):
            again = judge(
                Report(count, {}), surveyed(path, source, contracts), counted | codes, name, ""
            )
            reached = {each.key for each in again if each.met}
            for each in found:
                if each.key in reached and not each.met:
                    each.by = f"{each.by}, {group}".lstrip(", ")
        for each in found:
            each.apart = (name, each.function.partition(".")[0]) in apart
        report.obligations += found
    return report


def surveyed(path: Path, source: bytes, contracts: Iterable[str]) -> Inventory:
    """Return what a module has to cover. Raises `BadInput` where it is no Python."""
    try:
        return survey(source, 0, contracts)
    except SyntaxError as error:
        raise BadInput(f"{path}:{error.lineno or 1}: no Python: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise BadInput(f"{path}: nested too deeply to be measured") from error


def judge(
    report: Report, has: Inventory, seen: set[int], module: str, file: str
) -> list[Obligation]:
    """Return a module's obligations, in the order of its lines."""
    found: list[Obligation] = []
    for site in has.sites:
        kind = "branch" if site.way else "statement"
        text = f"`{site.text}` never {site.way or 'runs'}"
        found.append(
            Obligation(
                kind, module, file, site.line, site.scope, site.text, site.way, site.digest, text,
                site.code in seen,
            )
        )  # fmt: skip
    ordered = sorted(seen)
    for decision in has.decisions:
        found += of_decision(report, decision, within(ordered, decision), module, file)
    found.sort(key=lambda each: each.line)
    numbers: dict[tuple[object, ...], int] = {}
    for each in found:
        numbers[each.key] = each.occurrence = numbers.get(each.key, 0) + 1
    return found


def within(ordered: list[int], decision: Decision) -> set[int]:
    """Return the vectors of one decision among all codes."""
    low = bisect_left(ordered, decision.code)
    high = bisect_left(ordered, decision.code + decision.span)
    return {code - decision.code for code in ordered[low:high]}


def of_decision(
    report: Report, decision: Decision, vectors: set[int], module: str, file: str
) -> list[Obligation]:
    """Return a decision's obligations: its two branches, and for each condition two more."""
    if decision.contract:
        report.contracts += 1
        report.contracts_evaluated += bool(vectors)
        return []
    if vectors == {0}:
        report.not_boolean += 1
        return []
    count = len(decision.conditions)
    seen = [digits(vector, count) for vector in vectors]

    def obligation(kind: str, item: str, text: str, met: bool) -> Obligation:
        return Obligation(
            kind, module, file, decision.line, decision.scope, decision.text, item,
            decision.digest, text, met,
        )  # fmt: skip

    found = []
    if decision.kind in BRANCHING:
        outcomes = {outcome(decision.tree, each) for each in seen}
        for value, item in ((True, "true"), (False, "false")):
            text = f"{decision.kind} `{decision.text}` never {item}"
            found.append(obligation("branch", item, text, value in outcomes))
    shown = pairs(decision, vectors)
    for index in range(count):
        item = str(index + 1)
        both = {each[index] for each in seen} >= {1, 2}
        found.append(obligation("evaluated", item, "", both))
        if index in shown:
            a, b = shown[index]
            text = f"decides: {words(decision, a)} / {words(decision, b)}"
        else:
            text = missing(decision, vectors, index)
        found.append(obligation("condition", item, text, index in shown))
    return found


def table(report: Report) -> str:
    """Return the figures as a text table, then the gaps."""
    rows = [["module", *KINDS.values()]]
    for name in [*report.sources, None]:
        figures = report.figures(name)
        cells = []
        for row in figures.values():
            excuse = f" +{row['justified']}" if row["justified"] else ""
            cells.append(f"{row['covered']}{excuse}/{row['total']}")
        rows.append([name or "all", *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    tests = ", ".join(f"{count} {group}" for group, count in report.tests.items()) or "none"
    lines += ["", f"tests: {tests}; counted: {', '.join(COUNTED[report.count])}"]
    lines.append(f"contracts: {report.contracts} decisions, {report.contracts_evaluated} evaluated")
    if report.predicates:
        mcdc = report.figures(apart=True)["mcdc"]
        lines.append(
            f"contract predicates: {len(report.predicates)} functions, {mcdc['total']} conditions, "
            f"{mcdc['covered']} shown by tests"
        )
    lines += [f"not Boolean at run time: {report.not_boolean}"] if report.not_boolean else []
    if report.unrecorded:
        lines.append(f"child processes whose evidence is not whole: {report.unrecorded} (no room)")
    lines += ["", *report.findings] if report.findings else []
    lines += ["", f"gaps: {len(report.gaps)}", *(sentence(gap) for gap in report.gaps)]
    apart = [each for each in report.open if each.apart]
    if apart:
        lines += ["", f"not shown of contract predicates: {len(apart)}"]
        lines += [sentence(gap) for gap in apart]
    return "\n".join(lines) + "\n"


def sentence(gap: Obligation) -> str:
    """Return a gap as one line: where, what, and who reached it without weight."""
    by = f"   [reached only by: {gap.by}]" if gap.by else ""
    code = f"in `{short(gap.code)}`: " if gap.kind == "condition" else ""
    return f"{gap.file}:{gap.line}: {gap.function}: {code}{gap.words}{by}"


def short(text: str) -> str:
    """Return code short enough to stand in a sentence."""
    return text if len(text) <= 60 else f"{text[:57]}..."


STYLE = """body{font:14px/1.4 sans-serif;margin:2em}pre{margin:0}
td{padding:0 .6em;vertical-align:top}
td.n{color:#888;text-align:right}tr.gap pre{background:#fdd}tr.met pre{background:#efe}
tr.excuse pre{background:#ffd}p.why{margin:0 0 .3em;color:#a00}p.ok{margin:0;color:#666}"""


def page(report: Report) -> str:
    """Return one HTML page: the figures, then each source with its gaps under the lines."""
    parts = [f"<!doctype html><meta charset=utf-8><title>MC/DC</title><style>{STYLE}</style>"]
    head = table(report).partition("\n\ngaps:")[0]
    parts.append(f"<h1>MC/DC</h1><pre>{html.escape(head)}</pre><p>{len(report.gaps)} gaps</p>")
    for name, (file, source) in report.sources.items():
        by_line: dict[int, list[Obligation]] = {}
        for each in report.obligations:
            if each.module == name and each.kind != "evaluated":
                by_line.setdefault(each.line, []).append(each)
        parts.append(f"<h2 id='{html.escape(name)}'>{html.escape(file)}</h2><table>")
        for number, text in enumerate(source.split("\n"), start=1):
            here = by_line.get(number, [])
            gaps = [each for each in here if not each.met and not each.excuse]
            excused = [each for each in here if each.excuse]
            kind = "gap" if gaps else "excuse" if excused else "met" if here else ""
            notes = [f"<p class=why>{html.escape(each.words)}</p>" for each in gaps]
            notes += [f"<p class=ok>justified: {html.escape(each.excuse)}</p>" for each in excused]
            pairs_shown = [o.words for o in here if o.met and o.kind == "condition"]
            title = html.escape("\n".join(pairs_shown), quote=True)
            parts.append(
                f"<tr class='{kind}' title='{title}'><td class=n>{number}<td>"
                f"<pre>{html.escape(text)}</pre>{''.join(notes)}"
            )
        parts.append("</table>")
    return "\n".join(parts) + "\n"


def write_page(report: Report, path: Path) -> None:
    """Write the HTML page to a new file. Raises `BadInput`; what is there is not replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as sink:
            sink.write(page(report))
    except FileExistsError as error:
        raise BadInput(f"{path}: is there already and is not replaced") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror})") from error
