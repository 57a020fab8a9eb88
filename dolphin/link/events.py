"""Messages to kernel events: the same name, the same fields, nothing judged.

Rules of this file:

*   A message that says an event has the event's name and fields. A value of the right type and
    outside its range is an event, and the kernel's to refuse (``MALFORMED``).
*   An operator's words are no field of an event: the shell gives the numbers that stand for them.
*   The vocabulary is the kernel's: event and message are paired by name, and a test holds that
    neither has one more.

Not here: who may send which event (``dolphin/shell/roles.py``).
"""

from dataclasses import fields
from typing import TypeGuard, get_args

from dolphin.link.messages import Order, RequestOrder, Said, Spoken
from kernel import events
from kernel.events import Event

WORDS = ("operator", "reason")


def is_event(thing: object) -> TypeGuard[type[Event]]:
    """Return whether ``thing`` is the class of an event."""
    return isinstance(thing, type) and issubclass(thing, Event) and thing is not Event


EVENTS: dict[str, type[Event]] = {
    name: thing for name, thing in vars(events).items() if is_event(thing)
}


def _carried(event: type[Event]) -> tuple[str, ...]:
    """Return the fields that an event's message, or its order, carries: all but words' numbers."""
    names = [field.name for field in fields(event)]  # type: ignore[arg-type]  # each is a dataclass
    return tuple(name for name in names if name not in WORDS)


# By message: its event, what is taken over, and whether an operator says it.
_SAID: dict[type[Said], tuple[type[Event], tuple[str, ...], bool]] = {
    kind: (EVENTS[kind.__name__], _carried(EVENTS[kind.__name__]), kind in get_args(Spoken))
    for kind in get_args(Said)
}


# LNK-012, LNK-013, LNK-015
def event_of(message: Said, words: tuple[int, int] = (0, 0)) -> Event:
    """Return the event that ``message`` says; ``words`` are the numbers of an operator's."""
    event, names, spoken = _SAID[type(message)]
    source: Said | Order = message.order if type(message) is RequestOrder else message
    values = [getattr(source, name) for name in names]
    if spoken:
        values += words
    return event(*values)
