"""The areas of the evidence: what a group of claims is about, and which command makes its files.

Rules of this file:

*   Every claim belongs to exactly one area, by how its id begins.
*   An area is as good as the worst of its claims: one that does not hold, then one not run.
*   What an area rests on is said beside its state: run here, recorded for exactly these inputs, in
    part, stale.
*   The remedy is the command that brings the missing files about, as a user types it. Where no
    command can, it says where the reader finds why; it never names the command that was just run.

Not here: the claims (``collectors/``), the page and the terminal that show the areas.
"""

from collections import Counter
from dataclasses import dataclass

from certification.claims import DOES_NOT_HOLD, HOLDS, NOT_RUN, Claim
from certification.standing import IN_PART, RECORDED, RUN_HERE, STALE


@dataclass(frozen=True)
class Area:
    """A name in plain words, how the ids of its claims begin, and what makes what is missing.

    ``open_word`` says what "not run" is here: a measure of isolation is not run, it is not met.
    """

    name: str
    stems: tuple[str, ...]
    remedy: str
    open_word: str = NOT_RUN


AREAS = (
    Area("the session", ("SES-", "SHOWN-"), "make run"),
    Area("audit of its journal", ("AUD-",), "dolphin audit RUN/journal.bin"),
    Area("model checks by TLC", ("MOD-",), "make check, then make check-all"),
    Area("models against the code, edge by edge", ("CON-",), "make check-all"),
    Area("tests", ("TST-",), "make test"),
    Area("statements and branches covered", ("COV-BRANCH",), "make check-all"),
    Area("conditions covered (MC/DC)", ("COV-MCDC",), "make check-all"),
    Area("proofs of the code", ("PRF-",), "make check-all"),
    Area("mutants killed", ("MUT-",), "make check-all"),
    Area("requirements traced to tests", ("REQ-",), "make check-all"),
    Area("configuration control", ("CFG-", "DOC-"), "make check-all, on a committed source"),
    Area("isolation of the processes", ("ISO-",),
         'no command does: docs/ARCHITECTURE.md, "What is not isolated yet"', "not met"),
)  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """An area with the state of its claims, and those that keep it from holding."""

    area: Area
    status: str
    claims: tuple[Claim, ...]

    @property
    def word(self) -> str:
        """The state in words."""
        return self.area.open_word if self.status == NOT_RUN else self.status

    @property
    def open(self) -> tuple[Claim, ...]:
        """The claims that do not hold or were not run."""
        return tuple(claim for claim in self.claims if claim.status != HOLDS)

    @property
    def rests_on(self) -> str:
        """What the claims rest on, with numbers where that is not the same for all."""
        count = Counter(claim.basis for claim in self.claims)
        if len(count) == 1:
            return next(iter(count))
        order = (RUN_HERE, RECORDED, IN_PART, STALE, NOT_RUN)
        return ", ".join(f"{count[basis]} {basis}" for basis in order if count[basis])


def area_of(claim: Claim) -> Area:
    """Return the area of a claim. Raises ``LookupError`` where it has none."""
    for area in AREAS:
        if claim.id.startswith(area.stems):
            return area
    raise LookupError(claim.id)


def summaries(claims: tuple[Claim, ...]) -> tuple[Summary, ...]:
    """Return every area that has a claim, in the order of the table."""
    found = []
    for area in AREAS:
        its = tuple(claim for claim in claims if area_of(claim) == area)
        if its:
            states = [claim.status for claim in its]
            status = next((one for one in (DOES_NOT_HOLD, NOT_RUN) if one in states), HOLDS)
            found.append(Summary(area, status, its))
    return tuple(found)
