"""Events, outcomes and states as bytes.

    event body   kind u8 | wide u8 | reason u8 | effects u8 | fields | digest 16 | n u8 | n changes
    change       column u8 | value i64
    state        the columns as i64: clock, kill-switch, survival, machine, gate, slots, ledger,
                 and last the limits

``reason`` 0 means accepted. ``effects`` has a bit per effect in the order of ``Effects``. The
digest is that of the whole resulting state, the refused event's too. A change is a column whose
value differs from the record before: so the journal itself claims every state, and the model can
reject a claim without the kernel's help.

Rules of this file:

*   One encoding per record. ``DeltaEncoder.body`` is used by the writer and by the replay, which
    compares bytes; nothing of an outcome can be forged past that comparison.
*   On the hot path a kind has one compiled struct, and a group that is the same object as before
    costs one comparison. An accepted tick is about 6 µs (``make bench``).
*   An event whose integer does not fit 64 bits is written wide: its fields as canonical JSON. An
    event may say anything, and the journal says what it said.
*   A state that does not fit 64 bits raises ``OverflowError``: the caller must treat the journal as
    failed. No sum of money gets there: 2^63 micro-USDT are nine billion billion.

Not here: frames and chain (``frames``), time (``ticks``).
"""

import json
import struct
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final, cast

from kernel.constants import Pending, Permit, Posture, Status
from kernel.events import Event
from kernel.outcome import Effects, Outcome, Reason, Refused
from kernel.state import (
    Ages,
    Clock,
    Gate,
    KillSwitch,
    Ledger,
    Limits,
    PostureMachine,
    Slot,
    Slots,
    State,
    Survival,
)
from traces.checksums import DIGEST_BYTES, digest
from traces.schema import COLUMNS, KIND_BY_CODE, KINDS, Kind

Values = tuple[int, ...]


class Malformed(Exception):
    """A record's body is not what the schema says; the message says what was expected."""


@dataclass(frozen=True)
class EventRecord:
    """One event's record: what was asked, what was answered, what changed.

    ``reason`` is 0 for an accepted event. ``changes`` are (column, value), ascending by column.
    """

    sequence: int
    kind: Kind
    event: Event
    reason: int
    effects: int
    digest: bytes
    changes: tuple[tuple[int, int], ...]


# --- events --------------------------------------------------------------------------------------


def _layout(kind: Kind) -> struct.Struct:
    fields = "".join(("?" if f.kind == "bool" else "q") * f.count for f in kind.fields)
    return struct.Struct(f"<BBBB{fields}{DIGEST_BYTES}sB")


_WIDE_HEAD: Final = struct.Struct("<BBBBH")
_WIDE_TAIL: Final = struct.Struct(f"<{DIGEST_BYTES}sB")
_LAYOUTS: Final = {kind.event: (kind.code, _layout(kind)) for kind in KINDS}
_TUPLES: Final = frozenset(kind.event for kind in KINDS if any(f.count > 1 for f in kind.fields))
_NAMES: Final = {kind.event: tuple(f.name for f in kind.fields) for kind in KINDS}
_CHANGES: Final = tuple(struct.Struct("<" + "Bq" * n) for n in range(len(COLUMNS) + 1))


def _flat_fields(event: Event) -> Values:
    names = _NAMES[type(event)]
    if type(event) not in _TUPLES:
        held = event.__dict__
        return tuple([held[name] for name in names])
    found: list[int] = []
    for name in names:
        value = getattr(event, name)
        found += value if isinstance(value, tuple) else (value,)
    return tuple(found)


def canonical(value: object) -> bytes:
    """Return the canonical JSON of plain data: sorted keys, no blanks, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def event_fields(event: Event) -> dict[str, Any]:
    """Return an event's fields by name, tuples as lists."""
    values = {name: getattr(event, name) for name in _NAMES[type(event)]}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def make_event(kind: Kind, values: dict[str, Any]) -> Event:
    """Return the event of that kind; raises ``Malformed`` on a field or a type it has not."""
    expected = [f.name for f in kind.fields]
    if sorted(values) != sorted(expected):
        raise Malformed(f"{kind.name} has fields {sorted(values)}; expected {sorted(expected)}")
    given: dict[str, Any] = {}
    for field in kind.fields:
        value = values[field.name]
        members = value if field.count > 1 and isinstance(value, list) else [value]
        wanted = bool if field.kind == "bool" else int
        if len(members) != field.count or any(type(member) is not wanted for member in members):
            raise Malformed(f"{kind.name}: {field.name} is {value!r}; expected {field.kind}")
        given[field.name] = tuple(members) if field.count > 1 else value
    return kind.event(**given)


# JNL-002, JNL-009
def pack_record(
    event: Event, reason: int, effects: int, state_digest: bytes, changes: list[int]
) -> bytes:
    """Return an event record's body. ``changes`` alternates column and value, ascending."""
    code, layout = _LAYOUTS[type(event)]
    count = len(changes) // 2
    try:
        body = layout.pack(code, 0, reason, effects, *_flat_fields(event), state_digest, count)
    except struct.error:
        body = _pack_wide(event, code, reason, effects, state_digest, count)
    if not changes:
        return body
    try:
        return body + _CHANGES[count].pack(*changes)
    except struct.error as error:
        raise OverflowError(f"the state does not fit the journal: {error}") from None


# JNL-010
def _pack_wide(
    event: Event, code: int, reason: int, effects: int, state_digest: bytes, count: int
) -> bytes:
    text = canonical(event_fields(event))
    head = _WIDE_HEAD.pack(code, 1, reason, effects, len(text))
    return head + text + _WIDE_TAIL.pack(state_digest, count)


def unpack_event(body: bytes) -> tuple[Kind, Event, int, bytes, int]:
    """Return kind, event, reason and effects as bytes 2 and 3, digest, and where changes begin."""
    if len(body) < 4:
        raise Malformed(f"an event record of {len(body)} bytes")
    kind = KIND_BY_CODE.get(body[0])
    if kind is None:
        raise Malformed(f"no event has code {body[0]}")
    if body[1] == 1:
        return _unpack_wide(kind, body)
    if body[1] != 0:
        raise Malformed(f"wide is {body[1]}; expected 0 or 1")
    layout = _LAYOUTS[kind.event][1]
    if len(body) < layout.size:
        raise Malformed(f"{kind.name} in {len(body)} bytes; expected {layout.size} or more")
    values = layout.unpack_from(body)
    if kind.event not in _TUPLES:
        event = kind.event(*values[4:-2])
    else:
        given: list[object] = []
        at = 4
        for field in kind.fields:
            given.append(values[at] if field.count == 1 else values[at : at + field.count])
            at += field.count
        event = kind.event(*given)
    return kind, event, layout.size, cast(bytes, values[-2]), cast(int, values[-1])


def _unpack_wide(kind: Kind, body: bytes) -> tuple[Kind, Event, int, bytes, int]:
    if len(body) < _WIDE_HEAD.size:
        raise Malformed(f"{kind.name}, wide, in {len(body)} bytes")
    length = _WIDE_HEAD.unpack_from(body)[4]
    start, end = _WIDE_HEAD.size, _WIDE_HEAD.size + length
    if len(body) < end + _WIDE_TAIL.size:
        raise Malformed(f"{kind.name}, wide, ends within its fields")
    try:
        values = json.loads(body[start:end])
    except ValueError:
        raise Malformed(f"{kind.name}, wide: its fields are not JSON") from None
    if not isinstance(values, dict):
        raise Malformed(f"{kind.name}, wide: its fields are not an object")
    event = make_event(kind, values)
    state_digest, count = _WIDE_TAIL.unpack_from(body, end)
    return kind, event, end + _WIDE_TAIL.size, state_digest, count


# JNL-012
def unpack_record(sequence: int, body: bytes) -> EventRecord:
    """Return the record in ``body``; raises ``Malformed`` on what the schema does not allow."""
    kind, event, at, state_digest, count = unpack_event(body)
    reason, effects = body[2], body[3]
    if reason and reason not in Reason:
        raise Malformed(f"no reason has code {reason}")
    if effects >> 3:
        raise Malformed(f"effects are {effects}; expected three bits")
    if count > len(COLUMNS) or len(body) != at + _CHANGES[count].size:
        raise Malformed(f"{kind.name}: {count} changes in {len(body) - at} bytes")
    flat = _CHANGES[count].unpack_from(body, at)
    changes = tuple(zip(flat[::2], flat[1::2], strict=True))
    for (earlier, _), (later, _) in pairwise(changes):
        if earlier >= later:
            raise Malformed(f"{kind.name}: changes are not ascending by column")
    if changes and changes[-1][0] >= len(COLUMNS):
        raise Malformed(f"no column has code {changes[-1][0]}")
    record = EventRecord(sequence, kind, event, reason, effects, state_digest, changes)
    flat_changes = [part for change in changes for part in change]
    if pack_record(event, reason, effects, state_digest, flat_changes) != body:
        raise Malformed(f"{kind.name}: not written as the schema writes it")
    return record


def effect_bits(effects: Effects) -> int:
    """Return the effects as bits, the first effect in bit 0."""
    return effects.cancel_all_orders + 2 * effects.flatten_positions + 4 * effects.issue_permit


# --- states --------------------------------------------------------------------------------------


def _codes(group: str, position: int = -1) -> tuple[int, ...]:
    slot = f"slots.{position}."
    return tuple(
        column.code
        for column in COLUMNS
        if column.group == group
        and (column.name.startswith(slot) if position >= 0 else "slots." not in column.name)
    )


def _values_of(codes: tuple[int, ...]) -> "attrgetter[Any]":
    names = dict.fromkeys(COLUMNS[code].variable for code in codes)
    return attrgetter(*names)


_CLOCK, _KILLSWITCH, _SURVIVAL, _MACHINE, _GATE, _LEDGER = (
    _codes(group) for group in ("clock", "killswitch", "survival", "machine", "gate", "ledger")
)
_SLOTS: Final = tuple(_codes("gate", worker) for worker in range(8))
_PARTS: Final = (_CLOCK, _KILLSWITCH, _SURVIVAL, _MACHINE, _GATE, *_SLOTS, _LEDGER)
_PACKERS: Final = tuple(struct.Struct(f"<{len(codes)}q") for codes in _PARTS)
_LIMITS: Final = struct.Struct("<11q")
_GET_CLOCK, _GET_KILLSWITCH, _GET_SURVIVAL, _GET_MACHINE, _GET_GATE, _GET_LEDGER = (
    _values_of(codes) for codes in (_CLOCK, _KILLSWITCH, _SURVIVAL, _MACHINE, _GATE, _LEDGER)
)
_GET_SLOT: Final = _values_of(_SLOTS[0])
_PART_SLOT, _PART_LEDGER = 5, 13


def _killswitch_values(group: object) -> Values:
    ages, *rest = _GET_KILLSWITCH(group)
    return (*ages, *rest)


def limits_bytes(limits: Limits) -> bytes:
    """Return the canonical bytes of the limits, the tail of every state's."""
    return _LIMITS.pack(
        limits.profile, limits.live, limits.grid_in_use, *limits.heartbeat_limit_ms,
        limits.cooling_ms, limits.confirm_window_ms, limits.bar_ms_min, limits.book_stale_ms,
    )  # fmt: skip


def _parts(state: State) -> list[Values]:
    return [
        _GET_CLOCK(state.clock),
        _killswitch_values(state.killswitch),
        _GET_SURVIVAL(state.survival),
        _GET_MACHINE(state.machine),
        _GET_GATE(state.gate),
        *(_GET_SLOT(slot) for slot in state.gate.slots),
        _GET_LEDGER(state.ledger),
    ]


def state_columns(state: State) -> list[int]:
    """Return the state's values by column code; booleans and enums as integers."""
    row = [0] * len(COLUMNS)
    for codes, values in zip(_PARTS, _parts(state), strict=True):
        for code, value in zip(codes, values, strict=True):
            row[code] = int(value)
    return row


# JNL-014
def row_digest(row: list[int], limits: bytes) -> bytes:
    """Return the digest of the state with these columns; ``limits`` are ``limits_bytes``."""
    parts = [
        packer.pack(*[row[code] for code in codes])
        for packer, codes in zip(_PACKERS, _PARTS, strict=True)
    ]
    return digest(b"".join(parts) + limits)


class DeltaEncoder:
    """The state a journal has come to, and the encoder of the next record.

    Holds each group's bytes, so that a step costs only the groups it touched.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._values = _parts(state)
        self._bytes = [
            packer.pack(*values) for packer, values in zip(_PACKERS, self._values, strict=True)
        ]
        self._limits = limits_bytes(state.limits)
        self.digest = digest(b"".join(self._bytes) + self._limits)

    # JNL-002, JNL-011
    def body(self, event: Event, outcome: Outcome) -> bytes:
        """Return the record of ``event`` answered by ``outcome``, and move to its state.

        Raises ``OverflowError`` when a value of the state does not fit 64 bits.
        """
        if isinstance(outcome, Refused):
            return pack_record(event, int(outcome.reason), 0, self.digest, [])
        changes: list[int] = []
        state = outcome.state
        if state is not self.state:
            try:
                self._move(state, changes)
            except struct.error as error:
                raise OverflowError(f"the state does not fit the journal: {error}") from None
        return pack_record(event, 0, effect_bits(outcome.effects), self.digest, changes)

    def _move(self, state: State, changes: list[int]) -> None:
        before = self.state
        if state.clock is not before.clock:
            self._part(0, _GET_CLOCK(state.clock), changes)
        if state.killswitch is not before.killswitch:
            self._part(1, _killswitch_values(state.killswitch), changes)
        if state.survival is not before.survival:
            self._part(2, _GET_SURVIVAL(state.survival), changes)
        if state.machine is not before.machine:
            self._part(3, _GET_MACHINE(state.machine), changes)
        if state.gate is not before.gate:
            gate: list[int] = []
            self._part(4, _GET_GATE(state.gate), gate)
            slots, old = state.gate.slots, before.gate.slots
            if slots is not old:
                for worker in range(8):
                    if slots[worker] is not old[worker]:
                        self._part(_PART_SLOT + worker, _GET_SLOT(slots[worker]), gate)
            changes += _ascending(gate)
        if state.ledger is not before.ledger:
            self._part(_PART_LEDGER, _GET_LEDGER(state.ledger), changes)
        self.state = state
        if changes:
            self.digest = digest(b"".join(self._bytes) + self._limits)

    def _part(self, part: int, values: Values, changes: list[int]) -> None:
        old = self._values[part]
        if values == old:
            return
        self._bytes[part] = _PACKERS[part].pack(*values)
        self._values[part] = values
        for code, a, b in zip(_PARTS[part], old, values, strict=True):
            if a != b:
                changes += (code, b)


def _ascending(changes: list[int]) -> list[int]:
    """Order changes of the gate by column: its totals come after its slots."""
    pairs = sorted(zip(changes[::2], changes[1::2], strict=True))
    return [part for pair in pairs for part in pair]


def _typed(column: int, value: int) -> Any:
    return _MAKERS[COLUMNS[column].kind](value)


_MAKERS: Final[dict[str, Any]] = {
    "int": int, "bool": bool, "Posture": Posture, "Status": Status,
    "Permit": Permit, "Pending": Pending,
}  # fmt: skip


def state_of(row: list[int], limits: Limits) -> State:
    """Return the state whose columns these are. Raises ``ValueError`` on a value no enum has."""

    def group(codes: tuple[int, ...]) -> dict[str, Any]:
        return {COLUMNS[c].variable: _typed(c, row[c]) for c in codes if COLUMNS[c].position < 0}

    ages = tuple(row[c] for c in _KILLSWITCH if COLUMNS[c].variable == "heartbeat_age_ms")
    slots = tuple(
        Slot(**{COLUMNS[c].variable: _typed(c, row[c]) for c in codes}) for codes in _SLOTS
    )
    return State(
        clock=Clock(**group(_CLOCK)),
        killswitch=KillSwitch(heartbeat_age_ms=cast(Ages, ages), **group(_KILLSWITCH)),
        survival=Survival(**group(_SURVIVAL)),
        machine=PostureMachine(**group(_MACHINE)),
        gate=Gate(slots=cast(Slots, slots), **group(_GATE)),
        ledger=Ledger(**group(_LEDGER)),
        limits=limits,
    )
