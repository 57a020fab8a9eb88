"""Control of the kernel's constants: without a passing model run on record it does not start.

Rules of this file:

*   A version of the constants is a number (``CONSTANTS_VERSION``) and a hash over their *values*:
    every integer, table and enumeration of ``SOURCES``, by name. A comment changes nothing here; a
    digit does.
*   ``kernel/constants.json`` holds one entry for each version: what TLC said of the models, and how
    many of their edges the kernel took with these very numbers. ``dolphin check --record`` writes
    it, and only after a run in which everything held.
*   The kernel's process asks ``recorded`` before it opens its journal. Numbers without an entry,
    with another version's entry, or with a record that cannot be read: it does not start.
*   ``limits_fault`` holds what a deployment chose (``state.Limits``) within the bounds that the
    constants and the models presuppose.

Not here: the run itself (``verify/models/record.py``); the hash that a journal's header names
(``provenance.py``), which is over the text, comments too.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from enum import IntEnum
from pathlib import Path
from types import ModuleType
from typing import Final

from kernel import constants, curves, fixed, table
from kernel.constants import AGE_MS_MAX, CONSTANTS_VERSION, HEARTBEAT_MS_MAX
from kernel.state import Limits

RECORD: Final = Path(constants.__file__).resolve().parent / "constants.json"
SOURCES: Final[tuple[ModuleType, ...]] = (constants, curves, fixed, table)
COMMAND: Final = "`dolphin check --record` makes one"


class Unrecorded(Exception):
    """These constants may not run: one line that says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """What was run with one version of the constants. Hashes are SHA-256, hex."""

    version: int
    constants_sha256: str
    models_sha256: str
    jar_sha256: str
    runs: int
    controls: int
    edges: int
    edges_sha256: str
    ran_at: str


def values_of(modules: tuple[ModuleType, ...] = SOURCES) -> dict[str, object]:
    """Return every constant of the modules by name: integers, tuples, enumerations.

    A name has one value in all of them (a test holds that), so who imports it from whom is no
    part of the hash.
    """
    found: dict[str, object] = {}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum:
                found[name] = {member.name: int(member) for member in value}
            elif name.isupper() and isinstance(value, int | tuple):
                found[name] = value
    return found


# SHL-041
def constants_digest() -> str:
    """Return the hash over names and values of all constants."""
    text = json.dumps(values_of(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_entries(path: Path = RECORD) -> tuple[Entry, ...]:
    """Return the record's entries; raises ``Unrecorded`` where it cannot be read."""
    expected = [field.name for field in fields(Entry)]
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unrecorded(f"{path}: {error.strerror}; {COMMAND}") from None
    except ValueError:
        raise Unrecorded(f"{path}: not JSON; {COMMAND}") from None
    listed = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise Unrecorded(f"{path}: field entries: a list expected; {COMMAND}")
    found = []
    for number, row in enumerate(listed):
        if not isinstance(row, dict) or sorted(row) != sorted(expected):
            raise Unrecorded(f"{path}: entry {number}: fields {', '.join(expected)} expected")
        for field in fields(Entry):
            if type(row[field.name]) is not field.type:
                raise Unrecorded(f"{path}: entry {number}: {field.name}: {field.type} expected")
        found.append(Entry(**row))
    return tuple(found)


# SHL-039
def recorded(path: Path = RECORD) -> Entry:
    """Return the entry of the constants that run here; raises ``Unrecorded`` where none is."""
    digest = constants_digest()
    entries = read_entries(path)
    for entry in entries:
        if entry.version == CONSTANTS_VERSION and entry.constants_sha256 == digest:
            if entry.runs > 0 and entry.edges > 0:
                return entry
            raise Unrecorded(f"{path}: version {entry.version}: the run was empty; {COMMAND}")
    known = ", ".join(f"{one.version} ({one.constants_sha256[:8]})" for one in entries) or "none"
    raise Unrecorded(
        f"{path}: no passing model run for version {CONSTANTS_VERSION} of the constants "
        f"({digest[:8]}); recorded: {known}; {COMMAND}"
    )


# SHL-041
def with_entry(entries: tuple[Entry, ...], fresh: Entry) -> tuple[Entry, ...]:
    """Return the record with one more entry; a version's older run is replaced.

    Raises ``Unrecorded`` where the version is taken by other numbers: they need a new one.
    """
    for entry in entries:
        if entry.version == fresh.version and entry.constants_sha256 != fresh.constants_sha256:
            raise Unrecorded(
                f"kernel/constants.py: CONSTANTS_VERSION {fresh.version} is on record with other "
                f"numbers ({entry.constants_sha256[:8]}); changed numbers need a new version"
            )
    kept = tuple(entry for entry in entries if entry.version != fresh.version)
    return tuple(sorted((*kept, fresh), key=lambda entry: entry.version))


def record_text(entries: tuple[Entry, ...]) -> str:
    """Return the record file's text."""
    return json.dumps({"entries": [asdict(entry) for entry in entries]}, indent=1) + "\n"


# SHL-040
def limits_fault(limits: Limits) -> str:
    """Return what is wrong with a deployment's limits, naming the field; "" where they fit."""
    bounds = [
        *((f"heartbeat_limit_ms[{partition}]", age, 1, HEARTBEAT_MS_MAX)
          for partition, age in enumerate(limits.heartbeat_limit_ms)),
        ("cooling_ms", limits.cooling_ms, 0, AGE_MS_MAX - 1),
        ("confirm_window_ms", limits.confirm_window_ms, limits.cooling_ms, AGE_MS_MAX - 1),
        ("bar_ms_min", limits.bar_ms_min, 1, AGE_MS_MAX),
        ("book_stale_ms", limits.book_stale_ms, 0, AGE_MS_MAX),
    ]  # fmt: skip
    for name, value, least, most in bounds:
        if not least <= value <= most:
            return f"limits: {name} is {value}; expected {least}..{most}"
    return ""
