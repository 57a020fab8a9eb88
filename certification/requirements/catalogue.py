"""The catalogue: every requirement, read from the tables and judged for its form.

A table's file begins with ``[defaults]``, which its requirements inherit field by field:

    [KRN-KILL-001]
    text = "A heartbeat that …"      one sentence with "shall" that a test can decide
    parent = "SYS-002"               a high-level id; "none" at the root
    level = "A"                      the level of the part that has to meet it, A to E
    method = ["test", "model"]       how it is shown: test, model, proof, review
    source = "bible 11.2"            a source and its section, a page, an ADR
    rationale = "…"                  where the why is not plain from the text

Rules of this file:

*   What cannot be read is ``CatalogueError``, one line: file, id, field, what was expected. A link
    that leads nowhere is not a matter of form: that is a gate's (``gates.py``).
*   ``SYS`` is the prefix of the high-level requirements; every other one is low-level.

Not here: what carries or verifies a requirement (``links.py``, ``outcomes.py``).
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certification.requirements.identity import DEFAULTS, FOLDER, catalogue_hash

ID = re.compile(r"[A-Z]{3}(-[A-Z]+)?-\d{3}\Z")
HIGH = "SYS"
ROOT_PARENT = "none"
METHODS = ("test", "model", "proof", "review")
LEVELS = ("A", "B", "C", "D", "E")
FIELDS = frozenset(("text", "parent", "level", "method", "source", "rationale"))
# Prefix of a group → what it is about, in the order of the page.
GROUPS: Mapping[str, str] = {
    "SYS": "the system",
    "KRN-KILL": "kernel: kill-switch",
    "KRN-TIME": "kernel: clocks",
    "KRN-REARM": "kernel: re-arm",
    "KRN-PEAK": "kernel: peak reset",
    "KRN-RST": "kernel: restart",
    "KRN-INIT": "kernel: opening",
    "KRN-SURV": "kernel: survival controller",
    "KRN-POST": "kernel: posture machine",
    "KRN-GATE": "kernel: order gate",
    "KRN-FENCE": "kernel: fence and flatten",
    "KRN-LEDG": "kernel: ledger",
    "KRN-RNG": "kernel: ranges",
    "KRN-TAB": "kernel: table",
    "KRN-STEP": "kernel: step",
    "KRN-CONF": "kernel: models and code",
    "JNL": "journal",
    "AUD": "audit",
    "SHL": "shell",
    "GRD": "permit and guard",
    "VEN": "paper venue",
    "LNK": "link",
}


class CatalogueError(Exception):
    """The catalogue cannot be read; the message is one line."""


@dataclass(frozen=True)
class Requirement:
    """One requirement and the file it stands in."""

    id: str
    text: str
    parent: str
    level: str
    method: tuple[str, ...]
    source: str
    rationale: str
    file: str
    line: int

    @property
    def group(self) -> str:
        """The id without its number."""
        return self.id.rpartition("-")[0]

    @property
    def low(self) -> bool:
        """Whether it is a low-level requirement."""
        return self.group != HIGH


@dataclass(frozen=True)
class Catalogue:
    """All requirements by id, in the order of the files, and the hash of those."""

    requirements: Mapping[str, Requirement]
    sha256: str

    def children(self, parent: str) -> list[Requirement]:
        """Return the requirements that name ``parent``."""
        return [each for each in self.requirements.values() if each.parent == parent]


def _one(file: str, name: str, table: Mapping[str, Any], line: int) -> Requirement:
    def wrong(field: str, expected: str) -> CatalogueError:
        return CatalogueError(f"{file}:{line}: [{name}] {field}: expected {expected}")

    if not ID.match(name) or name.rpartition("-")[0] not in GROUPS:
        raise wrong("id", f"a group of {', '.join(GROUPS)}, then a number of three digits")
    for field in sorted(table.keys() - FIELDS):
        raise wrong(field, f"one of {', '.join(sorted(FIELDS))}")
    for field in ("text", "parent", "level", "source"):
        if not isinstance(table.get(field), str) or not table[field].strip():
            raise wrong(field, "a text")
    text, method = table["text"], table.get("method")
    if " shall " not in text or not text.endswith("."):
        raise wrong("text", 'one sentence that says "shall" and ends with a full stop')
    if not isinstance(method, list) or not method or not set(method) <= set(METHODS):
        raise wrong("method", f"a list of {', '.join(METHODS)}")
    if table["level"] not in LEVELS:
        raise wrong("level", f"one of {', '.join(LEVELS)}")
    if not isinstance(table.get("rationale", ""), str):
        raise wrong("rationale", "a text")
    return Requirement(
        id=name, text=text, parent=table["parent"], level=table["level"], method=tuple(method),
        source=table["source"], rationale=table.get("rationale", ""), file=file, line=line,
    )  # fmt: skip


def load(folder: Path = FOLDER) -> Catalogue:
    """Read every table in ``folder``. Raises ``CatalogueError``."""
    found: dict[str, Requirement] = {}
    for path in sorted(folder.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(f"{path.name}: expected TOML: {error}") from error
        lines = {row.strip("[]"): n for n, row in enumerate(text.splitlines(), 1) if row[:1] == "["}
        defaults = data.pop(DEFAULTS, {})
        for name, table in data.items():
            if not isinstance(table, dict):
                raise CatalogueError(f"{path.name}: {name}: expected a table [{name}]")
            if name in found:
                raise CatalogueError(
                    f"{path.name}:{lines.get(name, 0)}: [{name}] id: expected one that is not in "
                    f"{found[name].file}"
                )
            found[name] = _one(path.name, name, {**defaults, **table}, lines.get(name, 0))
    if not found:
        raise CatalogueError(f"{folder}: expected tables of requirements, *.toml")
    return Catalogue(requirements=found, sha256=catalogue_hash(folder))
