"""The journal as one JSON object per line, both ways without loss.

A line is a record, in the journal's order:

    {"seq": 7, "record": "event", "event": "UpdateMark", "fields": {…}, "outcome": "ok",
     "effects": [], "digest": "…", "changes": {"slots.0.mark": 100}, "chain": "…", "crc": "…"}

Rules of this file:

*   A line holds all of its record, checksum and chain too. Reading lines back gives the journal's
    bytes exactly, and they are judged as bytes: a changed digit is a damaged record here as there.
*   There is one line for a record: the one that the writer writes. Any other spelling is refused,
    be it a name that stands twice, a field too many, a space, or another form of a number: what a
    person or another reader sees in a line must be what its checksum is over.
*   Integers beyond 2^53 are written as text, since other tools read numbers as doubles.
*   A record whose body is not the schema's is written with its body in hexadecimal ("body"), so
    that a forged journal can be looked at too.
*   The end of the lines is the end of the journal: what was preallocated is not written.

Not here: judging (``frames``, ``replay``).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from kernel.outcome import Reason
from traces import reader
from traces.checksums import CHAIN_BYTES, DIGEST_BYTES, MAC_BYTES
from traces.codec import (
    EventRecord,
    Malformed,
    canonical,
    event_fields,
    make_event,
    pack_record,
    unpack_record,
)
from traces.frames import (
    BODY_BYTES_MAX,
    MARK,
    TAIL_BYTES,
    Fault,
    Finding,
    Frame,
    JournalCorrupt,
    Tag,
    head,
    prefix,
    scan,
)
from traces.header import header_data, read_header
from traces.journal import CLOSING
from traces.notes import note_data
from traces.schema import COLUMN_BY_NAME, COLUMNS, EFFECT_NAMES, KIND_BY_NAME, SCHEMA_VERSION

NDJSON_SUFFIX: Final[str] = ".ndjson"
_EXACT: Final[int] = 2**53
LINE_BYTES_MAX: Final[int] = 1 << 20  # a record's body has at most 65,497 bytes


def _out(value: Any) -> Any:
    """Return plain data with integers beyond 2^53 as text."""
    if isinstance(value, bool) or not isinstance(value, int | list | dict):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, list):
        return [_out(one) for one in value]
    return {name: _out(one) for name, one in value.items()}


def _integer(value: Any) -> int:
    if type(value) is str and (value.lstrip("-")).isdecimal():
        return int(value)
    if type(value) is not int:
        raise Malformed(f"{value!r} where an integer is expected")
    return value


def _event_out(record: EventRecord) -> dict[str, Any]:
    return {
        "event": record.kind.name,
        "fields": _out(event_fields(record.event)),
        "outcome": "ok" if record.reason == 0 else Reason(record.reason).name,
        "effects": [n for bit, n in enumerate(EFFECT_NAMES) if record.effects >> bit & 1],
        "digest": record.digest.hex(),
        "changes": {COLUMNS[code].name: _out(value) for code, value in record.changes},
    }


def _body_out(frame: Frame) -> dict[str, Any]:
    if frame.tag == Tag.HEADER:
        return {"record": "header", "header": _out(header_data(read_header(frame.body)))}
    if frame.tag == Tag.EVENT:
        return {"record": "event"} | _event_out(unpack_record(frame.sequence, frame.body))
    if frame.tag == Tag.NOTE:
        return {"record": "note", "note": note_data(frame.body)}
    if frame.tag == Tag.ANCHOR and len(frame.body) == MAC_BYTES:
        return {"record": "anchor", "mac": frame.body.hex()}
    if frame.tag == Tag.CLOSE and len(frame.body) == CLOSING.size:
        events, accepted, mac = CLOSING.unpack(frame.body)
        return {"record": "close", "events": events, "accepted": accepted, "mac": mac.hex()}
    raise Malformed(f"tag {frame.tag}")


def line_of(frame: Frame, seal: bytes) -> str:
    """Return a frame as a line without its end; ``seal`` is the frame's tail on disk."""
    try:
        body = _body_out(frame)
    except Malformed:
        body = {"record": "unknown", "tag": frame.tag, "body": frame.body.hex()}
    chain, crc = seal[:CHAIN_BYTES].hex(), seal[CHAIN_BYTES : CHAIN_BYTES + 4].hex()
    whole = {"seq": frame.sequence} | body | {"chain": chain, "crc": crc}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


# JNL-033
def lines_of(data: bytes) -> Iterator[str]:
    """Yield a binary journal's lines; raises ``JournalCorrupt`` where the bytes are not intact."""
    for frame in scan(data):
        yield line_of(frame, data[frame.end - TAIL_BYTES : frame.end])


def _ints_in(value: Any, names: tuple[str, ...]) -> Any:
    return {n: _integer(v) if n in names and type(v) is str else v for n, v in value.items()}


def _fields_in(kind_name: str, values: dict[str, Any]) -> dict[str, Any]:
    kind = KIND_BY_NAME[kind_name]
    numbers = {field.name for field in kind.fields if field.kind == "int"}
    return {
        name: (
            [_integer(one) for one in value]
            if isinstance(value, list)
            else _integer(value)
            if name in numbers
            else value
        )
        for name, value in values.items()
    }


def _event_in(data: dict[str, Any]) -> bytes:
    name, outcome = data["event"], data["outcome"]
    if name not in KIND_BY_NAME:
        raise Malformed(f"no event is named {name!r}")
    if outcome != "ok" and outcome not in Reason.__members__:
        raise Malformed(f"no outcome is named {outcome!r}")
    event = make_event(KIND_BY_NAME[name], _fields_in(name, data["fields"]))
    effects = 0
    for effect in data["effects"]:
        if effect not in EFFECT_NAMES:
            raise Malformed(f"no effect is named {effect!r}")
        effects |= 1 << EFFECT_NAMES.index(effect)
    changes: list[tuple[int, int]] = []
    for column, value in data["changes"].items():
        if column not in COLUMN_BY_NAME:
            raise Malformed(f"no column is named {column!r}")
        changes.append((COLUMN_BY_NAME[column].code, _integer(value)))
    flat = [part for change in sorted(changes) for part in change]
    reason = 0 if outcome == "ok" else int(Reason[outcome])
    return pack_record(event, reason, effects, _hex(data["digest"], DIGEST_BYTES), flat)


def _hex(text: Any, length: int) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != length:
        raise Malformed(f"{text!r}: {length} bytes in hexadecimal expected")
    return value


def _header_in(data: dict[str, Any]) -> bytes:
    header = dict(data)
    header["ledger"] = _ints_in(header["ledger"], tuple(header["ledger"]))
    return canonical(header)


def _body_in(data: dict[str, Any]) -> tuple[int, bytes]:
    record = data["record"]
    if record == "header":
        return Tag.HEADER, _header_in(data["header"])
    if record == "event":
        return Tag.EVENT, _event_in(data)
    if record == "note":
        return Tag.NOTE, canonical(data["note"])
    if record == "anchor":
        return Tag.ANCHOR, _hex(data["mac"], MAC_BYTES)
    if record == "close":
        events, accepted = _integer(data["events"]), _integer(data["accepted"])
        return Tag.CLOSE, CLOSING.pack(events, accepted, _hex(data["mac"], MAC_BYTES))
    if record == "unknown":
        return _integer(data["tag"]), bytes.fromhex(data["body"])
    raise Malformed(f"no record is named {record!r}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"{twice!r} stands twice")
    return found


def _not_canonical(line: bytes, expected: bytes) -> Malformed:
    """Say where a line that spells a record differs from the line that the writer writes."""
    given, names = json.loads(line), json.loads(expected)
    more = sorted(given.keys() - names.keys())
    if more:
        return Malformed(f"{more[0]!r} is no field of this record")
    if not line.endswith(b"\n"):
        return Malformed("its end is missing: the file was cut off, or is not as it was written")
    at = next(
        (place for place, (a, b) in enumerate(zip(line, expected, strict=False)) if a != b),
        min(len(line), len(expected)),
    )
    found, wanted = (part[at : at + 16].decode("utf-8", "replace") for part in (line, expected))
    return Malformed(f"{found!r} at byte {at + 1}, where the writer writes {wanted!r}")


def _frame_of(line: bytes) -> tuple[int, int, bytes, bytes]:
    """Return the number, tag, body and seal that a line spells; it may spell them in any way."""
    data = json.loads(line, object_pairs_hook=_once)
    tag, body = _body_in(data)
    seal = _hex(data["chain"], CHAIN_BYTES) + _hex(data["crc"], 4) + bytes((MARK,))
    sequence = _integer(data["seq"])
    if len(body) > BODY_BYTES_MAX or not 0 <= sequence < 2**64 or not 0 <= tag < 256:
        raise Malformed("a record that no journal can hold")
    return sequence, tag, body, seal


def frame_of(line: bytes) -> bytes:
    """Return the frame that a line spells, its seal as the line says it. Raises ``Malformed``.

    The line, its line feed included, must be the one that ``line_of`` gives for the frame.
    """
    if len(line) > LINE_BYTES_MAX:
        raise Malformed(f"more than {LINE_BYTES_MAX} bytes: longer than any record")
    try:
        sequence, tag, body, seal = _frame_of(line)
        frame = Frame(sequence, tag, body, b"", b"", 0, 0)
        expected = line_of(frame, seal).encode() + b"\n"
        if line != expected:
            raise _not_canonical(line, expected)
        return head(sequence, tag, len(body)) + body + seal
    except KeyError as error:
        raise Malformed(f"no field {error}") from None
    except Malformed:
        raise
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"not JSON in UTF-8: {' '.join(str(error).split())}") from None
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Malformed(" ".join(str(error).split())) from None


_FOREIGN: Final[str] = (
    'not a journal: expected each line to be a JSON object, the first with "seq" and "record"'
)


def _is_a_line(line: bytes) -> bool:
    """Return whether a line has the look of a journal's, be it damaged or not."""
    return line.startswith(b'{"seq"') or b'"record"' in line


# JNL-033, JNL-034
def bytes_of_lines(lines: BinaryIO) -> bytes:
    """Return the binary journal that the lines spell. Raises ``JournalCorrupt`` naming the line."""
    parts: list[bytes] = []
    number = 0
    while line := lines.readline(LINE_BYTES_MAX + 1):
        number += 1
        try:
            parts.append(frame_of(line))
        except Malformed as error:
            if number == 1 and not _is_a_line(line):
                raise JournalCorrupt(Finding(Fault.FOREIGN, -1, 0, _FOREIGN)) from None
            text = f"line {number}: {error}"
            raise JournalCorrupt(Finding(Fault.FORM, number - 1, 0, text)) from None
    if not parts:
        raise JournalCorrupt(Finding(Fault.EMPTY, -1, 0, "an empty file"))
    return prefix(SCHEMA_VERSION) + b"".join(parts)


@contextmanager
def opened(path: Path) -> Iterator[bytes]:
    """Yield a journal's binary bytes, whatever its form. Raises ``JournalCorrupt``.

    ``.ndjson`` is NDJSON, everything else is binary. Both come out as the same bytes, so there is
    one judge of them (``frames.scan``).
    """
    if path.suffix != NDJSON_SUFFIX:
        with reader.opened(path) as data:
            yield data
        return
    try:
        with path.open("rb") as lines:
            data = bytes_of_lines(lines)
    except OSError as error:
        raise reader.unreadable(error) from None
    yield data
