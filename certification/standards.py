"""Coverage of a standard: each objective with our artefact, and its state from the claims.

Rules of this file:

*   ``FULL`` may be met by artefacts. ``IN_PART`` never shows better than "in part", nor does a row
    that asks for somebody independent. ``ORGANISATION`` and ``INDEPENDENT`` need what no program
    is; ``ABSENT`` is not there, and ``NOT_APPLICABLE`` has nothing to apply to. These four are
    never green, whatever the claims say (design 6).
*   A row is as good as the worst of its claims. A claim that is not in the report counts as not
    run, and so does a row without any claim. There is no empty cell.
*   A name that ends in ``*`` stands for every claim whose id begins so.

Not here: the rows (``annex_a.py``, ``appendix_b.py``), the claims.
"""

from dataclasses import dataclass

from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, Claim

FULL = "mapped"
IN_PART = "in part"
ORGANISATION = "needs an organisation"
INDEPENDENT = "needs an independent person"
ABSENT = "absent"
NOT_APPLICABLE = "not applicable"
# Every state that a row can have, the best first.
STATUSES = (
    HOLDS, IN_PART, NOT_RUN, DOES_NOT_HOLD, ABSENT, ORGANISATION, INDEPENDENT, NOT_APPLICABLE,
)  # fmt: skip
NEVER_GREEN = (ORGANISATION, INDEPENDENT, ABSENT, NOT_APPLICABLE)


@dataclass(frozen=True)
class Row:
    """One row: number, title, how far artefacts reach, on which claims, and by which artefact.

    ``independent``: the standard asks that somebody else than the author shows it.
    """

    number: str
    title: str
    kind: str
    claims: tuple[str, ...]
    text: str
    independent: bool = False


@dataclass(frozen=True)
class Assessed:
    """A row with its state, the claims found for it, and those that keep it from holding."""

    row: Row
    status: str
    found: tuple[str, ...]
    open: tuple[str, ...]


def assess(rows: tuple[Row, ...], claims: tuple[Claim, ...]) -> tuple[Assessed, ...]:
    """Return every row with the state that its claims give it."""
    states = {claim.id: claim.status for claim in claims}
    assessed = []
    for row in rows:
        found: list[str] = []
        absent: list[str] = []
        for wanted in row.claims:
            stem = wanted.rstrip("*")
            fitting = [
                name for name in states
                if name == wanted or (wanted.endswith("*") and name.startswith(stem))
            ]  # fmt: skip
            found += [name for name in fitting if name not in found]
            absent += [] if fitting else [wanted]
        open_claims = [name for name in found if states[name] != HOLDS] + absent
        if row.kind in NEVER_GREEN:
            status = row.kind
        elif any(states.get(name) == DOES_NOT_HOLD for name in found):
            status = DOES_NOT_HOLD
        elif open_claims or not found:
            status = NOT_RUN
        else:
            status = HOLDS if row.kind == FULL and not row.independent else IN_PART
        assessed.append(Assessed(row, status, tuple(found), tuple(open_claims)))
    return tuple(assessed)
