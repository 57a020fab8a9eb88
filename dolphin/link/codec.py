"""Bytes to messages and back: one spelling for each message, and a reason for whatever is none.

Rules of this file:

*   A message is a frozen class of ``messages``. On the wire it is a JSON object in UTF-8 of at most
    ``MESSAGE_BYTES_MAX`` bytes, its class named by ``type``.
*   ``Codec.decode`` is total: bytes give a message of the classes that this reader takes, or
    ``Unreadable`` with what was expected. Nothing that was sent from outside raises.
*   A message has exactly one spelling, the one that ``encode`` writes. msgspec keeps the last of
    two equal keys and takes blanks and any order; so what was read is written again and compared.
    Duplicate keys, needless escapes and fields spelled out at their default are refused with it.
*   Numbers are bounded by their types in ``messages``. NaN and infinity are no JSON.

Not here: sockets (``channel``), and what a message means. No spec module: the models take a message
for granted, and this file is what makes the grant.
"""

from dataclasses import dataclass
from typing import Annotated, dataclass_transform

import msgspec

MESSAGE_BYTES_MAX = 65_536
INTEGER_MAX = 2**63 - 1
EXPECTED_CHARACTERS_MAX = 200

Integer = Annotated[int, msgspec.Meta(ge=-INTEGER_MAX - 1, le=INTEGER_MAX)]
Number = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class _Frozen(msgspec.StructMeta):
    """Tells type checkers that a class below a frozen one is frozen, too."""


class Message(
    msgspec.Struct,
    metaclass=_Frozen,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag=True,
    gc=False,
):
    """A message. ``id`` numbers a question, and its answer carries the same; 0 is neither."""

    id: Number = 0


class Part(
    msgspec.Struct,
    metaclass=_Frozen,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """What several messages hold: it never travels alone."""


@dataclass(frozen=True)
class Unreadable:
    """Bytes that are no message here: what was expected, the number asked under, and the bytes."""

    expected: str
    id: int
    data: bytes


class _Numbered(msgspec.Struct):
    """The one field that is looked for in what cannot be read."""

    id: Number = 0


# LNK-002, LNK-014, LNK-020, LNK-021
class Codec[Kinds: Message]:
    """Reads the messages of a union of classes, and no others."""

    def __init__(self, kinds: object) -> None:
        """Read ``kinds``: a class of messages, or a union of them."""
        self._read = msgspec.json.Decoder(kinds).decode

    def decode(self, data: bytes) -> Kinds | Unreadable:
        """Return the message in ``data``, or why there is none."""
        if len(data) > MESSAGE_BYTES_MAX:
            return _unreadable(f"at most {MESSAGE_BYTES_MAX} bytes expected", data)
        try:
            message: Kinds = self._read(data)
        except (msgspec.DecodeError, RecursionError) as error:
            return _unreadable(f"a message in JSON and UTF-8 expected ({error})", data)
        if _write(message) != data:
            return _unreadable("one spelling expected: no blanks, each field once, in order", data)
        return message


_write = msgspec.json.Encoder().encode
_number = msgspec.json.Decoder(_Numbered).decode


# LNK-003
def encode(message: Message) -> bytes:
    """Return the message's bytes; raises ``ValueError`` for one that no reader would take."""
    data = _write(message)
    if len(data) > MESSAGE_BYTES_MAX:
        raise ValueError(f"message of {len(data)} bytes, at most {MESSAGE_BYTES_MAX} pass")
    return data


# LNK-021, LNK-022
def _unreadable(expected: str, data: bytes) -> Unreadable:
    """Return what is to be said of ``data``. Its number is looked for, and is 0 where none is."""
    try:
        number = _number(data).id
    except (msgspec.DecodeError, RecursionError):
        number = 0
    return Unreadable(plain(expected, EXPECTED_CHARACTERS_MAX), number, data)


# LNK-022
def plain(text: str | bytes, characters_max: int) -> str:
    """Return ``text`` as a message can carry it: what is not UTF-8 escaped, at most so long."""
    if isinstance(text, str):
        text = text.encode(errors="backslashreplace")
    return text.decode(errors="backslashreplace")[:characters_max]
