"""Waivers for mutants that nothing can kill: the argument, bound to the text that it is about.

Rules of this file:

*   An entry of ``code_waivers.toml`` names a function, the hash of its tree (without decorators,
    docstrings and comments), the mutants by number with the change in words, and the argument.
*   An entry that does not fit is a finding and excuses nothing: no such mutant, another hash,
    another change, no argument, named twice. So is one whose mutant a test has killed.
*   A timeout, an error or a missing result is never excused.

Not here: the mutants (``code_mutants.py``), the verdicts (``code_run.py``).
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.mutation.code_mutants import Mutant
from verify.mutation.code_run import KILLED, Result

FIELDS = {"function", "hash", "mutants", "argument"}
ARGUMENT_WORDS_MIN = 6


class Malformed(Exception):
    """The file cannot be read as what it should be; the text says where and what was expected."""


@dataclass(frozen=True)
class Entry:
    """One argument for some mutants of one function; ``mutants`` is change by id."""

    function: str
    hash: str
    mutants: Mapping[str, str]
    argument: str


def read(path: Path) -> list[Entry]:
    """Return the entries. Raises Malformed; a missing file has none."""
    if not path.is_file():
        return []
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Malformed(f"{path.name}: no TOML: {error}") from error
    if document.keys() - {"equivalent"}:
        raise Malformed(f"{path.name}: expected tables [[equivalent]] and nothing else")
    return [
        _entry(path, number, each) for number, each in enumerate(document.get("equivalent", []))
    ]


def _entry(path: Path, number: int, table: Mapping[str, Any]) -> Entry:
    where = f"{path.name}: [[equivalent]] {number + 1}"
    if set(table) != FIELDS:
        raise Malformed(f"{where}: expected exactly the fields {', '.join(sorted(FIELDS))}")
    mutants = table["mutants"]
    texts = [table["function"], table["hash"], table["argument"]]
    if not isinstance(mutants, dict) or not mutants:
        raise Malformed(f"{where}: mutants: expected a table from number to change")
    if not all(isinstance(text, str) for text in (*texts, *mutants.values())):
        raise Malformed(f"{where}: expected texts")
    named = {f"{table['function']}#{key}": str(change) for key, change in mutants.items()}
    return Entry(table["function"], table["hash"], named, " ".join(table["argument"].split()))


def judged(
    entries: Iterable[Entry], mutants: Mapping[str, Mutant], results: Mapping[str, Result]
) -> tuple[dict[str, str], list[str]]:
    """Return the argument by excused mutant, and the findings.

    An entry whose mutant has no verdict excuses nothing that was asked, and is no finding.
    """
    excused: dict[str, str] = {}
    findings = []
    seen: set[str] = set()
    for entry in entries:
        if len(entry.argument.split()) < ARGUMENT_WORDS_MIN:
            findings.append(f"{entry.function}: the waiver has no argument")
            continue
        for name, change in entry.mutants.items():
            problem = _problem(entry, name, change, mutants.get(name), name in seen)
            result = results.get(name)
            if not problem and result is not None and result.status == KILLED:
                problem = f"is killed by {result.by or result.how}: delete the waiver"
            if problem:
                findings.append(f"{name}: {problem}")
            else:
                excused[name] = entry.argument
            seen.add(name)
    return excused, findings


def _problem(entry: Entry, name: str, change: str, mutant: Mutant | None, again: bool) -> str:
    """Return why an entry does not fit, else an empty text."""
    if again:
        return "is waived twice"
    if mutant is None:
        return "is waived, and there is no such mutant"
    if mutant.function_hash != entry.hash:
        return (
            f"{mutant.path}:{mutant.line}: the waiver is bound to the hash {entry.hash}, "
            f"the code has {mutant.function_hash}: read the argument again"
        )
    if mutant.change != change:
        return f"the waiver is about `{change}`, the mutant is `{mutant.change}`"
    return ""
