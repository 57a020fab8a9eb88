"""A claim, its three states, and the two verdicts over all claims.

Rules of this file:

*   A claim is one sentence, one state, one file with its hash, and the command that makes the
    file.
*   What a claim rests on is told apart: run here, of exactly these inputs; recorded for exactly
    these inputs, in whole or in part; a record that is stale; nothing. Only the first two can
    hold.
*   States: ``HOLDS`` only from an outcome that a file records; ``DOES_NOT_HOLD`` when it records
    the contrary; ``NOT_RUN`` when nothing was recorded, or what was recorded is of another
    source. What a file says of itself as a whole ("ok") is never enough: rows are counted again.
*   Two verdicts: the session's over the claims of scope ``SESSION``, the package's over all. FAIL
    when a claim does not hold, INCOMPLETE when one was not run, else PASS. No claim at all of scope
    ``SESSION`` is FAIL, for both.

Not here: what is claimed (``collectors/``), files and shapes (``artefacts.py``), how it looks
(``page.py``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from certification.artefacts import FileRef
from certification.standing import RUN_HERE

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
NOT_RUN = "not run"

SESSION = "session"
PACKAGE = "package"

RUN = "make run"
COMMIT = "git commit, then make run"
NOTHING = "no command: docs/ARCHITECTURE.md"
AUDIT = "dolphin audit --json"
CHECK = "make check"
TEST = "make test"
VERIFY = "make check-all"


@dataclass(frozen=True)
class Claim:
    """One claim. ``artefact`` is a file's name, ``sha256`` its hash; both "" where none is.

    ``basis`` is what the state rests on: RUN_HERE, RECORDED, IN_PART, STALE, NOT_RUN.
    """

    id: str
    text: str
    status: str
    scope: str
    artefact: str
    sha256: str
    command: str
    detail: str = ""
    basis: str = RUN_HERE


@dataclass(frozen=True)
class Verdicts:
    """The two verdicts, and what keeps each from PASS."""

    session: str
    package: str
    holds: int
    does_not_hold: int
    not_run: int

    def exit_code(self, *, by_session: bool) -> int:
        """Return 0 for PASS, 1 for FAIL, 3 for INCOMPLETE."""
        return {"PASS": 0, "FAIL": 1, "INCOMPLETE": 3}[self.session if by_session else self.package]


def verdict(states: Iterable[str]) -> str:
    """Return the verdict over the states of some claims, at least one."""
    found = set(states)
    return "FAIL" if DOES_NOT_HOLD in found else "INCOMPLETE" if NOT_RUN in found else "PASS"


def verdicts(claims: tuple[Claim, ...]) -> Verdicts:
    """Return both verdicts over the claims."""
    states = [claim.status for claim in claims]
    own = [claim.status for claim in claims if claim.scope == SESSION]
    return Verdicts(
        session=verdict(own) if own else "FAIL",
        package=verdict(states) if own else "FAIL",
        holds=states.count(HOLDS),
        does_not_hold=states.count(DOES_NOT_HOLD),
        not_run=states.count(NOT_RUN),
    )


def claim_over(
    name: str,
    text: str,
    state: str | bool | None,
    file: FileRef,
    command: str,
    scope: str = PACKAGE,
    detail: str = "",
    basis: str = "",
) -> Claim:
    """Return a claim over ``file``. A state without a file to show for it is "not run".

    Without ``basis`` it is what was run here, or not run.
    """
    if not isinstance(state, str):
        state = {True: HOLDS, False: DOES_NOT_HOLD, None: NOT_RUN}[state]
    if not file.present and state == HOLDS:
        state, detail = NOT_RUN, detail or f"{file.name} is missing"
    return Claim(
        name, text, state, scope, file.name if file.present else "", file.sha256, command, detail,
        basis or (NOT_RUN if state == NOT_RUN else RUN_HERE),
    )  # fmt: skip


def slug(text: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", text.upper()).strip("-")


def listed(names: Iterable[str], most: int = 6) -> str:
    """Return names in a row, the rest as a number."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")
