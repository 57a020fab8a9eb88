"""Kernel events as messages, both ways.

Rules of this file:

*   ``{"event": NAME, FIELD: VALUE, …}`` with exactly the event's fields. Another field, a missing
    one, or a value of another type is no event: ``NotAnEvent``. A value of the right type and
    outside its range is an event, and the kernel's to refuse (``MALFORMED``).
*   Integers fit 64 bits, since the journal's fields do.
*   The vocabulary is the kernel's: names come from its classes, none is written here twice.

Not here: who may send which event (``dolphin/shell/roles.py``).
"""

from dataclasses import fields
from typing import Any, TypeGuard

from kernel import events
from kernel.events import Event

INTEGER_MAX = 2**63 - 1


def is_event(thing: object) -> TypeGuard[type[Event]]:
    """Return whether ``thing`` is the class of an event."""
    return isinstance(thing, type) and issubclass(thing, Event) and thing is not Event


EVENTS: dict[str, type[Event]] = {
    name: thing for name, thing in vars(events).items() if is_event(thing)
}
_KINDS: dict[str, dict[str, type]] = {
    name: {
        field.name: (bool if field.type is bool else tuple if field.name == "quantities" else int)
        for field in fields(event)  # type: ignore[arg-type]  # every event is a dataclass
    }
    for name, event in EVENTS.items()
}


class NotAnEvent(Exception):
    """The message is none of the kernel's events."""


# LNK-014
def _integer(value: object) -> bool:
    return type(value) is int and -INTEGER_MAX - 1 <= value <= INTEGER_MAX


# LNK-012, LNK-013, LNK-015
def event_of(message: dict[str, Any]) -> Event:
    """Return the event that ``message`` spells; raises ``NotAnEvent``."""
    name = message.get("event")
    if not isinstance(name, str) or name not in EVENTS:
        raise NotAnEvent("no event of that name")
    kinds = _KINDS[name]
    given = {key: value for key, value in message.items() if key not in ("event", "id")}
    if given.keys() != kinds.keys():
        raise NotAnEvent(f"{name}: fields {sorted(kinds)} expected")
    for key, kind in kinds.items():
        value = given[key]
        if kind is tuple:
            if not isinstance(value, list) or len(value) != 8 or not all(map(_integer, value)):
                raise NotAnEvent(f"{name}: {key}: eight integers expected")
            given[key] = tuple(value)
        elif kind is bool:
            if type(value) is not bool:
                raise NotAnEvent(f"{name}: {key}: a boolean expected")
        elif not _integer(value):
            raise NotAnEvent(f"{name}: {key}: an integer of 64 bits expected")
    return EVENTS[name](**given)


def message_of(event: Event) -> dict[str, Any]:
    """Return the message that spells ``event``."""
    return {"event": type(event).__name__} | dict(vars(event))
