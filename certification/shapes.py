"""Schemas of the JSON files, and a one-line message where a file differs.

Rules of this file:

*   A shape names what each known field is; a field that must be there is ``Required``. Fields that
    it does not know are kept, so that a newer writer does not break an older report.
*   msgspec judges, strictly. A difference is ``BadInput`` with the file, the field's place and
    what was expected. Nothing is converted: true is no number, "7" is no 7, and what JSON does not
    know (NaN, text that is not UTF-8) is refused.

The fields themselves are described in ``certification/ARTEFACTS.md``. Not here: reading files.
"""

import re
from typing import Any, Required, TypedDict

import msgspec

Texts = dict[str, str]
Counts = dict[str, int]


class BadInput(Exception):
    """A file that cannot be read as what it should be. One line: file, field, expectation."""


class Process(TypedDict, total=False):
    """A row of the session's processes."""

    name: Required[str]
    pid: Required[int | str]


class Measure(TypedDict, total=False):
    """A measure of isolation."""

    measure: Required[str]
    held: Required[bool]
    detail: str | None


class Shown(TypedDict, total=False):
    """Something that the session had to show."""

    name: Required[str]
    ok: Required[bool]


class Trip(TypedDict, total=False):
    """A kill."""

    causes: Required[list[str]]


# A demotion has a field "from", which is no name for a class's field.
Demotion = TypedDict(
    "Demotion", {"bar": Required[int], "from": int, "to": int, "sensor": Required[str]}, total=False
)


class Guard(TypedDict, total=False):
    """What the guard says of itself."""

    refusals: Counts


class Trade(TypedDict):
    """A position from flat to flat."""

    worker: int
    by: str
    instrument: str
    lot_ppm: int
    side: str
    entry_bar: int
    exit_bar: int | None
    entry_lots: int
    entry_value: int
    exit_lots: int
    exit_value: int
    fees: int
    result: int | None
    entry_why: str
    exit_why: str
    drill: str


class Cash(TypedDict):
    """The ledger's cash at both ends."""

    first: int | None
    last: int


class Act(TypedDict):
    """What an operator did."""

    bar: int
    act: str
    who: str
    why: str
    outcome: str
    drill: bool


class MarkRow(TypedDict, total=False):
    """What the plots point at."""

    bar: Required[int]
    kind: Required[str]
    text: str | None
    who: str | None
    why: str | None
    drill: str | None


class Session(TypedDict, total=False):
    """``session.json``."""

    id: Required[str]
    verdict: Required[str]
    shown: Required[list[Shown]]
    reason: str | None
    command: str | list[Any]
    started: str
    ended: str | None
    commit: str | None
    dirty: bool | None
    profile: str
    seed: int | None
    windows: list[int]
    data: dict[str, Any] | str | None
    machine: dict[str, Any]
    stand_ins: Texts
    processes: list[Process]
    isolation: list[Measure]
    not_applicable: Texts
    trips: list[Trip]
    demotions: list[Demotion]
    guard: Guard
    counts: dict[str, Any]
    refusals: Counts
    drills: bool
    trades: list[Trade]
    cash: Cash
    acts: list[Act]
    marks: list[MarkRow]
    artefacts: Texts


class ModelRow(TypedDict, total=False):
    """A row of a model check."""

    name: Required[str]
    mode: Required[str]
    expected: Required[str]
    result: Required[str]
    distinct: int
    generated: int
    diameter: int
    seconds: float
    cfg_sha256: str
    inputs: Texts
    problems: list[str]


class Controls(TypedDict):
    """How many negative controls there were, and how many failed as they must."""

    total: int
    failed_as_expected: int


class Check(TypedDict, total=False):
    """``check.json``."""

    ok: Required[bool]
    models: Required[list[ModelRow]]
    negative_controls: Required[Controls]
    problems: list[str]


class Audit(TypedDict, total=False):
    """``audit.json``."""

    ok: Required[bool]
    journals: int | list[Any] | dict[str, Any]
    records: int | None
    coverage: dict[str, Any] | None


class Graph(TypedDict, total=False):
    """A state graph whose edges are replayed."""

    name: Required[str]
    edges: Required[int]
    states: int
    accepted: int
    reasons: Counts
    sha256: str


class Corpus(TypedDict):
    """The committed corpus of edges."""

    graphs: list[Graph]


class ManifestRow(TypedDict, total=False):
    """A row of the models' manifest."""

    name: Required[str]
    expected: Required[str]
    mode: str
    cfg: str


class Manifest(TypedDict):
    """The models' manifest."""

    models: list[ManifestRow]


class Item(TypedDict, total=False):
    """An item of ``dolphin verify``."""

    name: Required[str]
    section: Required[str]
    status: Required[str]
    detail: Required[str]
    findings: Required[list[str]]
    inputs: Required[list[str]]
    inputs_sha256: Required[str]
    basis: str
    decides: bool


class Verify(TypedDict):
    """``verify.json``; the figures of its sections are judged where they are used."""

    ok: bool
    lane: str
    whole: bool
    items: list[Item]


def fits(value: Any, kind: Any, file: str) -> None:
    """Raise ``BadInput``, naming file and field, unless the value is of this kind throughout."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        place = place.rstrip("`").removeprefix(".")
        absent = re.fullmatch(r"Object missing required field `(.+)`", text)
        if absent:
            field = f"{place}.{absent.group(1)}".removeprefix(".")
            raise BadInput(f"{file}: field '{field}' is missing") from error
        where = f"field '{place}'" if place else "the document"
        raise BadInput(f"{file}: {where}: {text[0].lower()}{text[1:]}") from error


def document(data: bytes, kind: Any, file: str) -> dict[str, Any]:
    """Return the JSON object in ``data``. Raises ``BadInput``, naming file and line or field."""
    try:
        value = msgspec.json.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 text, expected JSON") from error
    except (msgspec.DecodeError, RecursionError) as error:
        at = re.search(r"\(byte (\d+)\)", str(error))
        line = data[: int(at.group(1)) if at else len(data)].count(b"\n") + 1
        text = re.sub(r"^JSON is malformed: | \(byte \d+\)$", "", str(error))
        raise BadInput(f"{file}:{line}: not JSON: {text}") from error
    fits(value, kind, file)
    found: dict[str, Any] = value
    return found
