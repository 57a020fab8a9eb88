"""A record: what came out when an item of verification was run, of which inputs, where and when.

Rules of this file:

*   One file for each item, ``certification/records/<item>.json``, committed: fields in one order, a
    part of the item on a line, so that a change reads as a change.
*   A record is a claim, not a proof. What makes it worth anything is that it names its inputs by
    hash (``standing.py``) and that the next run of the item is compared with it
    (``collectors/verified.py``, ``verify/records.py``).
*   ``whole`` is whether the item was run to its end. A record of a part says what part, in its
    figures and in ``parts``; it never stands for the whole.
*   "Not run" is no outcome and is never recorded.
*   A file beside them that is no item's record is named wherever records are read.

Not here: what a record is worth in this tree (``standing.py``), making one (``recording.py``).
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Required, TypedDict

from certification.shapes import BadInput, document

FOLDER = "certification/records"
SCHEMA = 1
HOLDS, DOES_NOT_HOLD = "holds", "does not hold"


class Ran(TypedDict):
    """When and where it was run."""

    at: str
    seconds: float | None
    machine: str
    python: str
    command: str
    commit: str


class Part(TypedDict, total=False):
    """A part of an item, by its hash."""

    sha256: Required[str]


class RecordFile(TypedDict):
    """A record's fields, in the order of the file."""

    schema: int
    item: str
    section: str
    claim: str
    lane: str
    status: str
    whole: bool
    detail: str
    figures: dict[str, Any]
    findings: list[str]
    inputs_sha256: str
    ran: Ran
    parts: dict[str, Part]


Record = Mapping[str, Any]


def file_of(root: Path, item: str) -> Path:
    """Return where an item's record is, or would be."""
    return root / FOLDER / f"{item}.json"


def strays(root: Path, items: Iterable[str]) -> tuple[str, ...]:
    """Return what lies beside the records and is the record of none of ``items``, by path."""
    folder = root / FOLDER
    known = {file_of(root, item) for item in items}
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(one.relative_to(root).as_posix() for one in found if one not in known))


def stray_said(name: str) -> str:
    """Return a line on a file that is no record of any item."""
    return f"{name}: not the record of any item of certification/inputs.toml; expected none such"


def read(path: Path, root: Path) -> Record | None:
    """Return the record in a file, None without one. Raises ``BadInput``, naming file and field."""
    name = path.relative_to(root).as_posix()
    try:
        found: Record = document(path.read_bytes(), RecordFile, name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{name}: cannot be read as a record: {error}") from error
    wrong = [
        f"field 'schema' is {found['schema']}, expected {SCHEMA}" * (found["schema"] != SCHEMA),
        f"field 'item' is {found['item']!r}, expected {path.stem!r}" * (found["item"] != path.stem),
        f"field 'status' is {found['status']!r}, expected '{HOLDS}' or '{DOES_NOT_HOLD}'"
        * (found["status"] not in (HOLDS, DOES_NOT_HOLD)),
    ]
    for text in filter(None, wrong):
        raise BadInput(f"{name}: {text}")
    return found


def text_of(record: Record) -> str:
    """Return the text of a record's file."""
    head = {name: record[name] for name in RecordFile.__annotations__ if name != "parts"}
    text = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    parts = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(part, sort_keys=True)}"
        for name, part in sorted(record["parts"].items())
    )
    return f'{text},\n "parts": {{{f"{chr(10)}{parts}{chr(10)} " if parts else ""}}}\n}}\n'


def write(root: Path, record: Record) -> Path:
    """Write a record's file, beside its name first; return the file."""
    path = file_of(root, record["item"])
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text_of(record), encoding="utf-8")
    draft.replace(path)
    return path
