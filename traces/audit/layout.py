r"""The layout of a state as text, once: what ``rows`` writes and what ``TraceLayout.tla`` reads.

Theory. The columns of a state come from the kernel's own classes (``schema``). Their order there
cut at a few names gives the groups of a row; the kind of a column, and the range of its variable,
give the width of its field. Everything else follows: where a field begins, the operators that read
it, the lists by which TLC compares a claim with its step. So the module is written from here, and
a column that the kernel gains reaches the models without anybody's copying.

    unsigned_1, _2, _4, _6   a number of that many digits in base 32, most significant first
    signed_5, signed_8       a digit 0 or 1 for the sign, then 4 or 7 digits
    money                    signed units in 8, micros in 4 (module Money)

Rules of this file:

*   A column for which no width is known is a ``TypeError`` at import: no row silently lacks it.
*   ``python -m traces.audit.layout`` prints the module's text, ``--write`` puts it in its place;
    tests/traces/audit/test_layout.py holds that it is there.

Spec module: TraceLayout, generated here.
"""

import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kernel.constants import (
    AGE_MS_MAX,
    GRID_MEMBERS_MAX,
    INSTRUMENT_MAX,
    LATENCY_MS_MAX,
    PPM,
    PRICE_MAX,
    QUANTITY_MAX,
)
from traces.provenance import SPEC_FOLDER
from traces.schema import COLUMNS, Column

DIGITS: Final[str] = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
UNITS_MAX: Final[int] = 2**31 - 1
OFFSET_BYTES: Final[int] = 2
HEAD_BYTES: Final[int] = 4
MODULE: Final[str] = "TraceLayout"

_PAIRS: Final[tuple[str, ...]] = tuple(a + b for a in DIGITS for b in DIGITS)


class BeyondModel(Exception):
    """An amount that TLC's 32 bits cannot hold: nothing can be said about this record."""


# --- fields in base 32 ---------------------------------------------------------------------------


def unsigned_1(value: int) -> str:
    """Return a number 0..31 in one digit."""
    return DIGITS[value]


def unsigned_2(value: int) -> str:
    """Return a number 0..1,023 in two digits."""
    return _PAIRS[value]


def unsigned_4(value: int) -> str:
    """Return a number 0..2^20-1 in four digits."""
    return _PAIRS[value >> 10] + _PAIRS[value & 1023]


def unsigned_6(value: int) -> str:
    """Return a number 0..2^30-1 in six digits."""
    return _PAIRS[value >> 20] + _PAIRS[value >> 10 & 1023] + _PAIRS[value & 1023]


def signed_5(value: int) -> str:
    """Return a number of at most 20 bits, signed, in five digits."""
    return ("1" if value < 0 else "0") + unsigned_4(abs(value))


def signed_8(value: int) -> str:
    """Return a number of at most 31 bits, signed, in eight digits."""
    size = abs(value)
    return ("1" if value < 0 else "0") + DIGITS[size >> 30] + unsigned_6(size & 0x3FFFFFFF)


_ZERO_MONEY: Final[str] = "0" * 12


def money(value: int) -> str:
    """Return an amount in micro-USDT as units and micros, in twelve digits."""
    if value == 0:
        return _ZERO_MONEY
    units, micros = divmod(value, PPM)
    if abs(units) > UNITS_MAX:
        raise BeyondModel(f"{value} micro-USDT is beyond the models' 2,147,483,647 USDT")
    return signed_8(units) + unsigned_4(micros)


@dataclass(frozen=True)
class Width:
    """How a field is written, how many digits it has, and the operator that reads it."""

    encode: Callable[[int], str]
    digits: int
    reader: str


_N1: Final = Width(unsigned_1, 1, "N1")
_BIT: Final = Width(unsigned_1, 1, "Bit")
_N2: Final = Width(unsigned_2, 2, "N2")
_N4: Final = Width(unsigned_4, 4, "N4")
_N6: Final = Width(unsigned_6, 6, "N6")
_S5: Final = Width(signed_5, 5, "S5")
_M12: Final = Width(money, 12, "M12")


# --- columns, in groups --------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One column's field: its width, and the range that its variable's type allows."""

    code: int
    name: str
    variable: str
    width: Width
    least: int
    most: int


@dataclass(frozen=True)
class Group:
    """Columns that are written together once one of them changed; ``worker`` is a slot's, or -1."""

    name: str
    cells: tuple[Cell, ...]
    worker: int = -1


# Amounts in micro-USDT: two limbs in the models (module Money).
MONEY: Final = frozenset(
    ("mark", "cost", "permit_price", "reserved_notional", "open_notional", "cash", "contributed",
     "realised_pnl", "fees", "unrealised_pnl", "equity_peak")
)  # fmt: skip
CLOCKS: Final = frozenset(column.variable for column in COLUMNS if column.group == "clock")
_ANY: Final[int] = 2**63
_RANGES: Final[dict[str, tuple[Width, int, int]]] = {
    "heartbeat_age_ms": (_N6, 0, AGE_MS_MAX),
    "grid_members": (_N2, 0, GRID_MEMBERS_MAX),
    "operator_request_age_ms": (_N6, 0, AGE_MS_MAX),
    "forewarner_age_ms": (_N6, 0, AGE_MS_MAX),
    "book_age_ms": (_N6, 0, AGE_MS_MAX),
    "shock_age_ms": (_N6, 0, AGE_MS_MAX),
    "depth_quality_ppm": (_N4, 0, PPM),
    "fill_probability_ppm": (_N4, 0, PPM),
    "book_latency_ms": (_N4, 0, LATENCY_MS_MAX),
    "book_jitter_ms": (_N4, 0, LATENCY_MS_MAX),
    "multiplier_ppm": (_N4, 0, PPM),
    "bars_below": (_N1, 0, 5),
    "bars_above": (_N1, 0, 5),
    "fence_epoch": (_N6, 0, 2**30 - 1),
    "instrument": (_N4, 0, INSTRUMENT_MAX),
    "mark": (_M12, 0, PRICE_MAX),
    "quantity": (_S5, -QUANTITY_MAX, QUANTITY_MAX),
    "permit_quantity": (_S5, -QUANTITY_MAX, QUANTITY_MAX),
    "permit_price": (_M12, 0, PRICE_MAX),
    "drawdown_ppm": (_N4, 0, PPM),
}
_ENUM_MOST: Final[dict[str, int]] = {"Posture": 3, "Status": 2, "Permit": 3, "Pending": 2}
# The variable that a group begins with, in the order of the columns. A slot is a group for each
# worker.
_BEGINS: Final[dict[str, str]] = {
    "heartbeat_age_ms": "Ages",
    "grid_members": "Kill",
    "forewarner_status": "Reading",
    "multiplier_ppm": "Multiplier",
    "posture": "Machine",
    "fence_epoch": "Fence",
    "instrument": "Slot",
    "reserved_notional": "Total",
    "cash": "Account",
    "unrealised_pnl": "Result",
}


def cell_of(column: Column) -> Cell:
    """Return the field of a column. Raises ``TypeError`` where no width is known for it."""
    if column.kind == "bool":
        width, least, most = _BIT, 0, 1
    elif column.kind in _ENUM_MOST:
        width, least, most = _N1, 0, _ENUM_MOST[column.kind]
    elif column.variable in _RANGES:
        width, least, most = _RANGES[column.variable]
    elif column.variable in MONEY:
        width, least, most = _M12, -_ANY, _ANY
    else:
        raise TypeError(f"{column.name}: the models have no width for it")
    return Cell(column.code, column.name, column.variable, width, least, most)


def groups_of(columns: Sequence[Column]) -> tuple[Group, ...]:
    """Return the groups of a row: the columns in their order, without the clocks."""
    found: list[tuple[str, int, list[Cell]]] = []
    for column in columns:
        if column.variable in CLOCKS:
            continue
        slot = column.name.startswith("slots.")
        first = column.position in (-1, 0) or slot
        if column.variable in _BEGINS and first:
            worker = column.position if slot else -1
            found.append((_BEGINS[column.variable], worker, []))
        found[-1][2].append(cell_of(column))
    return tuple(Group(name, tuple(cells), worker) for name, worker, cells in found)


GROUPS: Final[tuple[Group, ...]] = groups_of(COLUMNS)
GROUP_OF: Final[dict[int, int]] = {
    cell.code: number for number, group in enumerate(GROUPS) for cell in group.cells
}
WORKERS: Final[int] = sum(group.worker >= 0 for group in GROUPS)


# --- the module ----------------------------------------------------------------------------------

_HEAD: Final = """
A state of Kernel as text: where each column stands, what reads it.

Generated from the columns of the kernel's state: change nothing here.
  python -m traces.audit.layout --write
writes it anew, and a test holds that it is what is generated.

A state's groups stand one after the other at the start of a chunk
(AtStart); a row gives those that changed, each at its Position.
Read by TraceKernel. Code: traces/audit/layout.py, rows.py.
"""
_NUMBERS: Final = r"""
N1(r, p) == DIGIT[SubSeq(r, p, p)]
N2(r, p) == N1(r, p) * 32 + N1(r, p + 1)
N4(r, p) == N2(r, p) * 1024 + N2(r, p + 2)
N6(r, p) == N2(r, p) * 1048576 + N4(r, p + 2)
Bit(r, p) == N1(r, p) = 1
S5(r, p) == IF Bit(r, p) THEN -N4(r, p + 1) ELSE N4(r, p + 1)
S8(r, p) == LET n == N1(r, p + 1) * 1073741824 + N6(r, p + 2) IN IF Bit(r, p) THEN -n ELSE n
ZERO12 == "000000000000"
M12(r, p) == IF SubSeq(r, p, p + 11) = ZERO12 THEN Zero ELSE <<S8(r, p), N4(r, p + 8)>>
""".strip()
_RULE: Final = "-" * 77
_COLUMNS: Final[int] = 110


def _comment(text: str) -> list[str]:
    return [f"(* {line:<71} *)" for line in text.strip().split("\n")]


def _filled(head: str, parts: Sequence[str], tail: str) -> str:
    """Return ``head`` and the parts with commas between, broken under the first part."""
    text = ", ".join(part.replace(" ", "\0") for part in parts)
    lines = textwrap.wrap(text, _COLUMNS - len(head), break_long_words=False)
    return (f"\n{' ' * len(head)}".join([head + lines[0], *lines[1:]]) + tail).replace("\0", " ")


def _at(digits: int) -> str:
    return f"p + {digits}" if digits else "p"


def _read(cells: Sequence[Cell]) -> list[str]:
    found, behind = [], 0
    for cell in cells:
        found.append(f"{cell.width.reader}(r, {_at(behind)})")
        behind += cell.width.digits
    return found


def _named(name: str) -> list[Group]:
    return [group for group in GROUPS if group.name == name]


def _size(group: Group) -> int:
    return sum(cell.width.digits for cell in group.cells)


def _group_text(name: str) -> list[str]:
    """Return the operators of a group: its variables, and the same read at a position."""
    first = _named(name)[0]
    indexed = len({cell.variable for cell in first.cells}) == 1 and len(first.cells) > 1
    if indexed:
        variable, width = first.cells[0].variable, first.cells[0].width
        return [
            f"{name}Group == {variable}",
            f"{name}At(r, p) == [q \\in Partitions |-> {width.reader}(r, p + {width.digits} * q)]",
        ]
    of, suffix = ("(w)", "[w]") if first.worker >= 0 else ("", "")
    return [
        _filled(
            f"{name}Group{of} == <<", [f"{cell.variable}{suffix}" for cell in first.cells], ">>"
        ),
        _filled(f"{name}At(r, p) == <<", _read(first.cells), ">>"),
    ]


def _start_text() -> list[str]:
    """Return AtStart: every variable, read from a whole state."""
    lines, behind = ["AtStart(s) =="], 1
    for group in GROUPS:
        at = behind
        behind += _size(group)
        for cell in group.cells:
            reader, digits = cell.width.reader, cell.width.digits
            if group.worker > 0 or cell.name.endswith(tuple(f".{n}" for n in range(1, 100))):
                pass
            elif group.worker == 0:
                place = f"{at} + {_size(group)} * w"
                lines.append(f"    /\\ {cell.variable} = [w \\in Workers |-> {reader}(s, {place})]")
            elif cell.name.endswith(".0"):
                place = f"{at} + {digits} * q"
                lines.append(
                    f"    /\\ {cell.variable} = [q \\in Partitions |-> {reader}(s, {place})]"
                )
            else:
                lines.append(f"    /\\ {cell.variable} = {reader}(s, {at})")
            at += digits
    return lines


def _claims_text(names: Sequence[str]) -> list[str]:
    lines = []
    numbers: dict[str, int] = {}
    for number, group in enumerate(GROUPS, 1):
        numbers.setdefault(group.name, number)
    for name in names:
        number = numbers[name]
        slots = _named(name)[0].worker >= 0
        w, of, at = (", w", "(w)", f"{number} + w") if slots else ("", "", str(number))
        lines.append(
            f"{name}Claim(r{w}) == IF Position(r, {at}) = 0 THEN {name}Group{of} "
            f"ELSE {name}At(r, Position(r, {at}))"
        )
    return lines


def _agrees_text(names: Sequence[str]) -> list[str]:
    slots = [number for number, group in enumerate(GROUPS, 1) if group.worker >= 0]
    first, last = (3 + OFFSET_BYTES * number for number in (slots[0], slots[-1]))
    last += OFFSET_BYTES - 1
    variables = ", ".join(cell.variable for cell in _named("Slot")[0].cells)
    lines = [
        "\\* The whole claim of a row is the state after its step.",
        "Agrees(r) ==",
        f"    IF SubSeq(r, {HEAD_BYTES + 1}, P - 1) = NO_OFFSETS THEN UNCHANGED vars",
    ]
    for place, name in enumerate(names):
        lead = "    ELSE /\\ " if place == 0 else "         /\\ "
        if name == "Slot":
            zeros = "0" * (last - first + 1)
            lines.append(f'{lead}IF SubSeq(r, {first}, {last}) = "{zeros}"')
            lines.append(f"            THEN UNCHANGED <<{variables}>>")
            lines.append("            ELSE \\A w \\in Workers : SlotGroup(w)' = SlotClaim(r, w)")
        else:
            lines.append(f"{lead}{name}Group' = {name}Claim(r)")
    return lines


def _differences_text(names: Sequence[str]) -> list[str]:
    lines = [
        "\\* The columns in which the state after the step is another than the claim.",
        "Differing(names, spec, claim) ==",
        "    {<<names[i], ToString(spec[i]), ToString(claim[i])>>",
        "     : i \\in {j \\in 1..Len(names) : spec[j] # claim[j]}}",
        "Differences(r) ==",
        "    UNION {",
    ]
    parts = []
    for name in names:
        first = _named(name)[0]
        if len({cell.variable for cell in first.cells}) == 1 and len(first.cells) > 1:
            variable = first.cells[0].variable
            parts.append(
                f"        UNION {{IF {name}Group'[q] = {name}Claim(r)[q] THEN {{}}\n"
                f'               ELSE {{<<"{variable}." \\o ToString(q), '
                f"ToString({name}Group'[q]),\n"
                f"                       ToString({name}Claim(r)[q])>>}} : q \\in Partitions}}"
            )
        elif first.worker >= 0:
            names_of = [f'slot \\o "{cell.variable}"' for cell in first.cells]
            body = _filled("                 Differing(<<", names_of, ">>,")
            parts.append(
                '        UNION {LET slot == "slots." \\o ToString(w) \\o "." IN\n'
                f"{body}\n                           {name}Group(w)', {name}Claim(r, w))"
                " : w \\in Workers}"
            )
        else:
            names_of = [f'"{cell.variable}"' for cell in first.cells]
            body = _filled("        Differing(<<", names_of, ">>,")
            parts.append(f"{body}\n                  {name}Group', {name}Claim(r))")
    lines.append(",\n".join(parts))
    lines.append("    }")
    return lines


def layout_module() -> str:
    """Return the text of TraceLayout.tla."""
    names = list(dict.fromkeys(group.name for group in GROUPS))
    digits = [f'"{digit}"' for digit in DIGITS]
    lines = [
        f"---------------------------- MODULE {MODULE} ----------------------------",
        "(" + "*" * 75 + ")",
        *_comment(_HEAD),
        "(" + "*" * 75 + ")",
        "EXTENDS Kernel, Sequences, TLC",
        "",
        *_comment("Numbers from text, in base 32."),
        "",
        _filled("DIGITS == <<", digits, ">>"),
        f"DIGIT == [s \\in {{DIGITS[i] : i \\in 1..{len(DIGITS)}}} |-> "
        f"(CHOOSE i \\in 1..{len(DIGITS)} : DIGITS[i] = s) - 1]",
        "",
        _NUMBERS,
        "",
        _RULE,
        *_comment("Groups of the state: the variables, and the same read from text."),
        "",
        *(line for name in names for line in _group_text(name)),
        "",
        _RULE,
        *_comment("A chunk's start: all groups, one after the other."),
        "",
        *_start_text(),
        "",
        _RULE,
        *_comment("A row: offsets of what changed, then parameters, then those groups."),
        "",
        f"GROUPS == {len(GROUPS)}",
        f'NO_OFFSETS == "{"0" * OFFSET_BYTES * len(GROUPS)}"',
        f"Position(r, g) == N2(r, {HEAD_BYTES + 1 - OFFSET_BYTES} + {OFFSET_BYTES} * g)"
        "          \\* of group g in the row, 0 where unchanged",
        f"P == {HEAD_BYTES + 1} + {OFFSET_BYTES} * GROUPS                         "
        "\\* of the parameters",
        "",
        *_claims_text(names),
        "",
        *_agrees_text(names),
        "",
        *_differences_text(names),
        "=" * 77,
    ]
    return "\n".join(line.rstrip() for line in "\n".join(lines).split("\n")) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        (SPEC_FOLDER / f"{MODULE}.tla").write_text(layout_module(), encoding="utf-8")
    else:
        sys.stdout.write(layout_module())
