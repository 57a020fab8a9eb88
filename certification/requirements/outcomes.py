"""Outcomes of tests as pytest recorded them, valid only for these sources and requirements.

Rules of this file:

*   A document that is missing, cannot be read, or is of other sources or another catalogue gives no
    outcome. ``missing`` then says why, and nothing counts as tested.
*   ``passed`` alone is passed. Skipped and expected failures are neither passed nor failed.

Not here: who writes it (``plugin.py``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from certification.requirements.identity import sources_hash

SCHEMA = 1
PASSED = "passed"
FAILED = frozenset(("failed", "xpassed"))
HOW = "make test"


@dataclass(frozen=True)
class TestRun:
    """One test's outcome, the ids it carried, and when it ended."""

    outcome: str
    requirements: tuple[str, ...]
    finished: str
    also_failed: bool


@dataclass(frozen=True)
class Outcomes:
    """All outcomes by pytest's node id. ``missing`` is "" where there are some to believe."""

    missing: str
    tests: Mapping[str, TestRun] = field(default_factory=dict)
    started: str = ""
    finished: str = ""


def _test(name: str, row: Any) -> TestRun:
    if not isinstance(row, dict) or not isinstance(row.get("requirements"), list):
        raise ValueError(f"tests.{name}: expected an object with requirements")
    return TestRun(
        outcome=str(row.get("outcome")),
        requirements=tuple(str(one) for one in row["requirements"]),
        finished=str(row.get("finished", "")),
        also_failed=row.get("also_failed") is True,
    )


def load(path: Path, catalogue: str, root: Path) -> Outcomes:
    """Return the outcomes in ``path``, those of another catalogue or other sources left out."""
    name = path.relative_to(root) if path.is_relative_to(root) else path
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return Outcomes(f"{name}: no outcomes; `{HOW}` records them")
    except ValueError as error:
        return Outcomes(f"{name}: no JSON document: {error}")
    try:
        if document["schema"] != SCHEMA:
            return Outcomes(f"{name}: schema {document['schema']}, expected {SCHEMA}")
        if document["catalogue"] != catalogue:
            return Outcomes(f"{name}: recorded with another catalogue; `{HOW}` again")
        if document["sources"] != sources_hash(root):
            return Outcomes(f"{name}: recorded with other sources; `{HOW}` again")
        tests = {test: _test(test, row) for test, row in document["tests"].items()}
        return Outcomes("", tests, str(document["started"]), str(document["finished"]))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return Outcomes(f"{name}: not the plugin's document: {error}")
