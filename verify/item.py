"""An item of verification: one claim, what decides it, and what was found.

Rules of this file:

*   An item says of itself what it reads (``inputs``), so that its outcome can be kept under the
    hash of that, and what it needs from the machine, so that "not run" has a reason.
*   Three states. ``HOLDS`` only from something that was executed; ``DOES_NOT_HOLD`` with the
    findings by name; ``NOT_RUN`` when a tool or an outcome is missing. "Not run" is never "holds".
*   A run may be broken off at any moment. What an item has finished in part it keeps itself, in the
    ``Store`` it is handed.

Not here: the items (one module each), their order (``plan.py``), the command
(``dolphin/commands/verify.py``).
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from verify.store import Store

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
NOT_RUN = "not run"

FAST = "fast"
FULL = "full"


def tell_on_stderr(done: int, total: int, what: str) -> None:
    """Move the progress line of an item that is run by itself (``python -m …``)."""
    sys.stderr.write(f"\r{done}/{total} {what}  ")
    sys.stderr.flush()


@dataclass(frozen=True)
class Outcome:
    """What came out. ``figures`` are the JSON of the item's section, ``findings`` a line each."""

    status: str
    detail: str
    figures: Mapping[str, object] = field(default_factory=dict)
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """What an item is given: the lane, the project's folder, a place to keep what it finished.

    ``tell(done, total, what)`` moves the progress bar.
    """

    lane: str
    root: Path
    store: Store
    tell: Callable[[int, int, str], None]
    jobs: int = 2


@dataclass(frozen=True)
class Item:
    """One claim and how it is decided.

    ``section`` is the key of its figures in the command's JSON. ``inputs`` are glob patterns below
    the project's folder; ``seconds`` the forecast by lane until a run has measured it. A lane that
    ``seconds`` does not name is a lane that the item is no part of. ``samples``: in the fast lane
    it runs a part of what it claims, which decides that it does not hold and never that it holds.
    """

    name: str
    claim: str
    section: str
    inputs: tuple[str, ...]
    seconds: Mapping[str, float]
    run: Callable[[Context], Outcome]
    samples: bool = False
