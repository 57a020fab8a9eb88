"""What a journal records: kinds of events, their fields, the columns of the state, the names.

Rules of this file:

*   Nothing is listed by hand. Kinds come from the event classes of ``kernel.events`` in their order
    there, columns from the fields of ``kernel.state``, names from the kernel's enums. A change of
    the kernel is a change of the schema.
*   A change of the schema changes ``SCHEMA_HASH``. tests/traces/test_schema.py pins the hash beside
    ``SCHEMA_VERSION``: who changes one must raise the other.
*   A kind's code is its position from 1; a column's code its position from 0. One byte each.
*   Every integer is 64 bits signed, every boolean one byte in an event and 64 bits in a state. An
    event that asks for more than 64 bits is written wide (``codec``), since an event may say
    anything.

Columns. A flat group gives a column per field (``multiplier_ppm``); a tuple one per position
(``heartbeat_age_ms.2``); the slots one per field and worker (``slots.3.quantity``). ``limits``
gives none: it never changes and stands in the header.

Not here: bytes (``frames``, ``codec``). Spec module: all; a column's name is the variable's.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final, get_args, get_type_hints

from kernel import events as kernel_events
from kernel.events import Event
from kernel.outcome import Effects, Reason
from kernel.state import Limits, Slot, State

SCHEMA_VERSION: Final[int] = 1

EVENT_BYTES_INTEGER: Final[int] = 8
EVENT_BYTES_BOOLEAN: Final[int] = 1


@dataclass(frozen=True)
class Field:
    """One field of an event: its name, "int" or "bool", and how many values it holds."""

    name: str
    kind: str
    count: int


@dataclass(frozen=True)
class Kind:
    """One kind of event: its code in the journal, its class, its fields."""

    code: int
    name: str
    event: type[Event]
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Column:
    """One column of the state: code, name, group, "int", "bool" or the enum's name."""

    code: int
    name: str
    group: str
    variable: str
    position: int
    kind: str


def _kind_name(annotation: object) -> str:
    if annotation is bool:
        return "bool"
    if annotation is int:
        return "int"
    if isinstance(annotation, type) and issubclass(annotation, IntEnum):
        return annotation.__name__
    raise TypeError(f"{annotation!r}: the journal has no width for this type")


def _event_fields(event: type[Event]) -> tuple[Field, ...]:
    hints = get_type_hints(event)
    found = []
    for field in fields(event):  # type: ignore[arg-type]  # every event is a dataclass; the base is not
        members = get_args(hints[field.name]) or (hints[field.name],)
        found.append(Field(field.name, _kind_name(members[0]), len(members)))
    return tuple(found)


def _event_classes() -> list[type[Event]]:
    return [
        thing
        for thing in vars(kernel_events).values()
        if isinstance(thing, type) and issubclass(thing, Event) and thing is not Event
    ]


def _columns() -> tuple[Column, ...]:
    found: list[Column] = []

    def add(name: str, group: str, variable: str, position: int, annotation: object) -> None:
        found.append(Column(len(found), name, group, variable, position, _kind_name(annotation)))

    for group, cls in get_type_hints(State).items():
        if cls is Limits:
            continue
        for field, annotation in get_type_hints(cls).items():
            members = get_args(annotation)
            if not members:
                add(field, group, field, -1, annotation)
            elif members[0] is Slot:
                for worker in range(len(members)):
                    for name, inner in get_type_hints(Slot).items():
                        add(f"{field}.{worker}.{name}", group, name, worker, inner)
            else:
                for position, inner in enumerate(members):
                    add(f"{field}.{position}", group, field, position, inner)
    return tuple(found)


KINDS: Final[tuple[Kind, ...]] = tuple(
    Kind(code, event.__name__, event, _event_fields(event))
    for code, event in enumerate(_event_classes(), start=1)
)
KIND_BY_CODE: Final[Mapping[int, Kind]] = MappingProxyType({kind.code: kind for kind in KINDS})
KIND_BY_NAME: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in KINDS})

COLUMNS: Final[tuple[Column, ...]] = _columns()
COLUMN_BY_NAME: Final[Mapping[str, Column]] = MappingProxyType({c.name: c for c in COLUMNS})
VARIABLES: Final[tuple[str, ...]] = tuple(dict.fromkeys(c.variable for c in COLUMNS))

EFFECT_NAMES: Final[tuple[str, ...]] = tuple(field.name for field in fields(Effects))


def _enum_members(annotations: list[object]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, IntEnum):
            found[annotation.__name__] = {member.name: int(member) for member in annotation}
    return found


def describe() -> dict[str, Any]:
    """Return the whole schema as plain data, in the order of the journal."""
    hints: list[object] = [Reason]
    for cls in get_type_hints(State).values():
        hints += get_type_hints(cls).values()
    hints += get_type_hints(Slot).values()
    return {
        "version": SCHEMA_VERSION,
        "bytes": {"integer": EVENT_BYTES_INTEGER, "boolean": EVENT_BYTES_BOOLEAN},
        "events": [
            [kind.code, kind.name, [[f.name, f.kind, f.count] for f in kind.fields]]
            for kind in KINDS
        ],
        "columns": [[c.code, c.name, c.kind] for c in COLUMNS],
        "effects": list(EFFECT_NAMES),
        "limits": [
            [name, str(len(get_args(hint)) or 1)] for name, hint in get_type_hints(Limits).items()
        ],
        "names": _enum_members(hints),
    }


# JNL-013
def schema_hash() -> str:
    """Return the BLAKE2b-128 of the schema's canonical JSON, hex."""
    text = json.dumps(describe(), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


SCHEMA_HASH: Final[str] = schema_hash()
