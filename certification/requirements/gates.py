"""The gates: requirements that are orphaned, unrefined, untraced, untested or failing, by name.

Gates, each finding of which is one line:

    orphan      a requirement whose parent no high-level requirement is
    unrefined   a high-level requirement that no low-level one refines
    dangling    an id in code, model or test that no requirement has
    uncarried   a low-level requirement that no code names; that no model names, where its method
                says model; that neither proof nor kernel code names, where its method says proof
    untested    a requirement of method test that no test names, or whose executed tests were all
                skipped or expected to fail
    failing     an executed test with requirements that did not pass

Rules of this file:

*   What can be judged without outcomes is judged without them: a requirement that no test names is
    untested, whatever ran.
*   A requirement whose tests were not executed is "not run", and so is the whole then, unless
    something does not hold already.
*   A high-level requirement is shown by its children; its status is the worst of theirs.

Not here: how it is shown (``matrix.py``, ``exports.py``).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from certification.requirements.catalogue import ROOT_PARENT, Catalogue, Requirement
from certification.requirements.links import CODE, SPEC, TEST, Link
from certification.requirements.outcomes import FAILED, HOW, PASSED, Outcomes

GATES: Mapping[str, str] = {
    "orphan": "a requirement without a high-level parent",
    "unrefined": "a high-level requirement without a low-level one",
    "dangling": "an id that no requirement has",
    "uncarried": "a requirement that no code, model or proof names",
    "untested": "a requirement that no executed test shows",
    "failing": "a test with requirements that did not pass",
}
HOLDS, DOES_NOT_HOLD, NOT_RUN = "holds", "does not hold", "not run"
VERIFIED, FAILING, UNTESTED = "verified", "failing", "untested"
NAMED_MAX = 5
ORDER = (FAILING, UNTESTED, NOT_RUN, VERIFIED)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that does not hold, and the line to look at."""

    gate: str
    subject: str
    text: str
    file: str
    line: int

    def row(self) -> str:
        """Return the finding as one line."""
        return f"{self.file}:{self.line}: {self.gate}: {self.subject}: {self.text}"


@dataclass(frozen=True)
class Shown:
    """A requirement with all that is known of it. ``tests`` is pytest's node id → outcome."""

    requirement: Requirement
    children: tuple[str, ...]
    code: tuple[Link, ...]
    spec: tuple[Link, ...]
    marked: tuple[Link, ...]
    tests: Mapping[str, str]
    status: str


@dataclass(frozen=True)
class Judgement:
    """All requirements and all findings."""

    status: str
    reason: str
    shown: Mapping[str, Shown]
    findings: tuple[Finding, ...]
    links: Mapping[str, int]

    def count(self, gate: str) -> int:
        """Return how many findings a gate has."""
        return sum(one.gate == gate for one in self.findings)


def _at(requirement: Requirement) -> tuple[str, int]:
    return f"certification/requirements/{requirement.file}", requirement.line


def _form(catalogue: Catalogue) -> list[Finding]:
    found = []
    known = catalogue.requirements
    for one in known.values():
        parent = known.get(one.parent)
        rootless = one.parent == ROOT_PARENT
        if (one.low and (parent is None or parent.low)) or not (rootless or parent or one.low):
            found.append(Finding("orphan", one.id, f"no high-level parent {one.parent}", *_at(one)))
        if not one.low and not catalogue.children(one.id):
            found.append(Finding("unrefined", one.id, "no requirement refines it", *_at(one)))
    return found


def _carried(one: Requirement, links: list[Link]) -> list[Finding]:
    kinds = {link.kind for link in links}
    wants = {CODE: "no code names it"}
    if "model" in one.method:
        wants[SPEC] = "its method says model, and no module names it"
    missing = [text for kind, text in wants.items() if kind not in kinds]
    proofs = [
        link
        for link in links
        if link.file.endswith(".v") or (link.kind == CODE and link.file.startswith("kernel/"))
    ]
    if "proof" in one.method and not proofs:
        missing.append("its method says proof, and neither proof nor kernel code names it")
    return [Finding("uncarried", one.id, text, *_at(one)) for text in missing]


def _status(one: Requirement, marked: list[Link], runs: Mapping[str, str]) -> str:
    if "test" not in one.method:
        return VERIFIED
    if any(outcome in FAILED for outcome in runs.values()):
        return FAILING
    if PASSED in runs.values():
        return VERIFIED
    return NOT_RUN if marked and not runs else UNTESTED


def _why_untested(runs: Mapping[str, str]) -> str:
    if not runs:
        return "no test names it"
    kinds = ", ".join(sorted(set(runs.values())))
    return f"of {len(runs)} tests that name it none passed ({kinds})"


def _reason(outcomes: Outcomes, shown: Mapping[str, Shown]) -> str:
    """Return why something was not run, "" where all was."""
    waiting = [name for name, one in shown.items() if one.requirement.low and one.status == NOT_RUN]
    if outcomes.missing or not waiting:
        return outcomes.missing
    more = f" and {len(waiting) - NAMED_MAX} more" if len(waiting) > NAMED_MAX else ""
    return f"no test was executed of {', '.join(waiting[:NAMED_MAX])}{more}; `{HOW}` runs them"


def judge(catalogue: Catalogue, links: list[Link], outcomes: Outcomes) -> Judgement:
    """Return what holds of every requirement, and what does not."""
    by_id: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_id[link.requirement].append(link)
    runs: defaultdict[str, dict[str, str]] = defaultdict(dict)
    findings = _form(catalogue)
    for name, test in outcomes.tests.items():
        for one in test.requirements:
            runs[one][name] = test.outcome
        if test.outcome in FAILED:
            said = ", ".join(test.requirements) or "its process ended"
            file, _, _ = name.partition("::")
            findings.append(Finding("failing", name, f"{test.outcome} ({said})", file, 1))
    for one, found in by_id.items():
        if one not in catalogue.requirements:
            findings += [
                Finding("dangling", one, f"no requirement has it ({at.kind})", at.file, at.line)
                for at in found
            ]
    shown: dict[str, Shown] = {}
    for requirement in catalogue.requirements.values():
        if not requirement.low:
            continue
        its = by_id[requirement.id]
        marked = [link for link in its if link.kind == TEST]
        status = _status(requirement, marked, runs[requirement.id])
        if status == UNTESTED:
            why = _why_untested(runs[requirement.id])
            findings.append(Finding("untested", requirement.id, why, *_at(requirement)))
        findings += _carried(requirement, its)
        shown[requirement.id] = Shown(
            requirement=requirement,
            children=(),
            code=tuple(link for link in its if link.kind == CODE),
            spec=tuple(link for link in its if link.kind == SPEC),
            marked=tuple(marked),
            tests=dict(sorted(runs[requirement.id].items())),
            status=status,
        )
    for requirement in catalogue.requirements.values():
        if requirement.low:
            continue
        children = [child.id for child in catalogue.children(requirement.id)]
        stati = [shown[child].status for child in children if child in shown]
        its = by_id[requirement.id]
        shown[requirement.id] = Shown(
            requirement=requirement,
            children=tuple(children),
            code=tuple(link for link in its if link.kind == CODE),
            spec=tuple(link for link in its if link.kind == SPEC),
            marked=tuple(link for link in its if link.kind == TEST),
            tests=dict(sorted(runs[requirement.id].items())),
            status=min(stati, key=ORDER.index) if stati else UNTESTED,
        )
    ordered = {name: shown[name] for name in catalogue.requirements}
    reason = _reason(outcomes, ordered)
    status = DOES_NOT_HOLD if findings else NOT_RUN if reason else HOLDS
    counts = {kind: sum(link.kind == kind for link in links) for kind in (CODE, SPEC, TEST)}
    return Judgement(status, reason, ordered, tuple(sorted(findings)), counts)
