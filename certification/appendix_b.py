"""10 CFR 50 Appendix B: which criterion rests on which claims.

Rules of this file:

*   All eighteen criteria are listed, in order. ``FULL`` may be met by artefacts; ``IN_PART``
    never shows better than "in part"; ``ORGANISATION`` and ``INDEPENDENT`` need what no
    program is, and are never green, whatever the claims say (design 6).
*   A criterion is as good as the worst of its claims. A claim that is not in the report counts as
    not run, and a criterion without any claim too. There is no empty cell.
*   A name that ends in ``*`` stands for every claim whose id begins so.

Source: 10 CFR Part 50, Appendix B (titles); design 6 (the mapping). Not here: the claims
themselves.
"""

from dataclasses import dataclass

from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, Claim

FULL = "mapped"
IN_PART = "in part"
ORGANISATION = "needs an organisation"
INDEPENDENT = "needs an independent person"


@dataclass(frozen=True)
class Criterion:
    """One criterion: number, title, how far artefacts reach, on which claims, and a sentence."""

    number: str
    title: str
    kind: str
    claims: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Assessed:
    """A criterion with its state, the claims found for it, and those that keep it from holding."""

    criterion: Criterion
    status: str
    found: tuple[str, ...]
    open: tuple[str, ...]


CRITERIA = (
    Criterion("I", "Organization", ORGANISATION, (),
              "Authority and independence of those who assure quality."),
    Criterion("II", "Quality Assurance Program", ORGANISATION, (),
              "A programme that management owns, reviews and trains for."),
    Criterion("III", "Design Control", FULL,
              ("MOD-*", "CON-EDGES", "PRF-*", "REQ-TRACED"),
              "Models, the replay of their edges, proofs and requirements."),
    Criterion("IV", "Procurement Document Control", ORGANISATION, (),
              "Contracts with suppliers of services and material."),
    Criterion("V", "Instructions, Procedures, and Drawings", FULL,
              ("DOC-CONTRACT",),
              "The kernel's contract, event by event."),
    Criterion("VI", "Document Control", FULL,
              ("CFG-REVISION", "DOC-CONTRACT"),
              "Documents and source are of one recorded revision."),
    Criterion("VII", "Control of Purchased Material, Equipment, and Services", ORGANISATION, (),
              "Somebody must evaluate suppliers; hashes say only that nothing changed."),
    Criterion("VIII", "Identification and Control of Materials, Parts, and Components", FULL,
              ("CFG-LOCKS", "CFG-TLC", "CFG-CONSTANTS"),
              "The bill of materials: each package by version and hash."),
    Criterion("IX", "Control of Special Processes", IN_PART,
              ("MOD-SUITE", "MOD-CONTROLS", "PRF-CONTRACTS"),
              "Model checking and proof are controlled; the tools are not qualified."),
    Criterion("X", "Inspection", INDEPENDENT, (),
              "By people other than those who did the work."),
    Criterion("XI", "Test Control", FULL,
              ("TST-PASS*", "COV-BRANCH", "COV-MCDC", "SHOWN-*"),
              "Recorded test runs, their coverage, and what the session had to show."),
    Criterion("XII", "Control of Measuring and Test Equipment", FULL,
              ("CFG-TLC", "MOD-CONTROLS", "MUT-KILLED"),
              "The tools are pinned, and each is shown able to fail."),
    Criterion("XIII", "Handling, Storage and Shipping", IN_PART,
              ("SES-FILES", "AUD-INTACT"),
              "Records are hashed and chained; where they are kept is not ours to say."),
    Criterion("XIV", "Inspection, Test, and Operating Status", FULL,
              ("SES-VERDICT", "TST-PASS*", "MOD-SUITE", "AUD-CONFORMANT"),
              "What was tested, with which outcome, and what was not run."),
    Criterion("XV", "Nonconforming Materials, Parts, or Components", FULL,
              ("AUD-INTACT", "AUD-REPLAYED", "AUD-CONFORMANT", "AUD-JOURNAL"),
              "The audit finds a step that the model forbids, and names the record."),
    Criterion("XVI", "Corrective Action", FULL,
              ("MOD-CONTROLS", "CON-EDGES", "MUT-KILLED"),
              "A fault once found stays a test or a control that must fail."),
    Criterion("XVII", "Quality Assurance Records", FULL,
              ("SES-FILES", "SES-JOURNAL", "AUD-AUTHENTIC"),
              "The journal, its anchors, and the hash of every file here."),
    Criterion("XVIII", "Audits", INDEPENDENT, (),
              "Planned audits by people without a part in the work."),
)  # fmt: skip


def assess(claims: tuple[Claim, ...]) -> tuple[Assessed, ...]:
    """Return every criterion with the state that its claims give it."""
    states = {claim.id: claim.status for claim in claims}
    rows = []
    for criterion in CRITERIA:
        found: list[str] = []
        absent: list[str] = []
        for wanted in criterion.claims:
            stem = wanted.rstrip("*")
            fitting = [
                name for name in states
                if name == wanted or (wanted.endswith("*") and name.startswith(stem))
            ]  # fmt: skip
            found += [name for name in fitting if name not in found]
            absent += [] if fitting else [wanted]
        open_claims = [name for name in found if states[name] != HOLDS] + absent
        if criterion.kind in (ORGANISATION, INDEPENDENT):
            status = criterion.kind
        elif any(states.get(name) == DOES_NOT_HOLD for name in found):
            status = DOES_NOT_HOLD
        elif open_claims or not found:
            status = NOT_RUN
        else:
            status = HOLDS if criterion.kind == FULL else IN_PART
        rows.append(Assessed(criterion, status, tuple(found), tuple(open_claims)))
    return tuple(rows)
