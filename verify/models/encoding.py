"""The kernel's state as the variables of the TLA+ modules, and back.

Rules of this file:

*   Names, order and types are the schema's (``traces/schema.py``), which takes them from the
    kernel's own classes: nothing is listed here. A variable has the field's name. A field of a slot
    is a function of the worker; money is ``<<units, micros>>`` (module Money), everything else the
    field's own integer or boolean.
*   Both ways without loss: ``state_of(variables_of(state), ...) == state`` but for what the modules
    abstract, the clock and the limits, which the caller gives.

Not here: events (``replay.py``), a state as one text (``traces/audit/layout.py``).
"""

from collections.abc import Mapping, Sequence
from typing import cast

from kernel.constants import PPM
from kernel.state import Clock, Limits, State
from traces.audit.layout import CLOCKS, MONEY
from traces.codec import state_columns
from traces.codec import state_of as state_of_row
from traces.schema import COLUMNS, Column
from traces.schema import VARIABLES as RECORDED

VARIABLES = tuple(name for name in RECORDED if name not in CLOCKS)
_COLUMNS = {
    name: tuple(column for column in COLUMNS if column.variable == name) for name in VARIABLES
}
_CLOCK = {column.name: column.code for column in COLUMNS if column.variable in CLOCKS}

Variables = dict[str, object]


def money(micros: int) -> tuple[int, int]:
    """Return an amount as the modules' two limbs."""
    return micros // PPM, micros % PPM


def micros(pair: object) -> int:
    """Return the modules' two limbs as micro-USDT."""
    units, rest = cast(Sequence[int], pair)
    return units * PPM + rest


def _encoded(column: Column, value: int) -> object:
    if column.variable in MONEY:
        return money(value)
    return bool(value) if column.kind == "bool" else value


def _decoded(column: Column, value: object) -> int:
    if column.variable in MONEY:
        return micros(value)
    if isinstance(value, bool) is not (column.kind == "bool"):
        wanted = "boolean" if column.kind == "bool" else "number"
        raise ValueError(f"{column.name} is {value!r}, expected a {wanted}")
    return int(cast(int, value))


def variables_of(state: State) -> Variables:
    """Return the state as variables: plain ints, bools, pairs; tuples for functions of 0..n."""
    row = state_columns(state)
    found: Variables = {}
    for name, columns in _COLUMNS.items():
        values = tuple(_encoded(column, row[column.code]) for column in columns)
        found[name] = values[0] if columns[0].position < 0 else values
    return found


def canonical(variables: Mapping[str, object]) -> Variables:
    """Return a state that TLC printed in the form of ``variables_of``.

    TLC prints a function over 0..n as ``(0 :> a @@ …)``; keys beyond what the kernel has, or
    missing ones, raise ``ValueError``.
    """
    found: Variables = {}
    for name, columns in _COLUMNS.items():
        if name not in variables:
            raise ValueError(f"the model's state has no variable {name}")
        value = variables[name]
        if isinstance(value, Mapping):
            keys = range(len(columns))
            if sorted(cast(Mapping[int, object], value)) != list(keys):
                raise ValueError(f"{name}: keys {sorted(map(str, value))}, expected 0..{keys[-1]}")
            found[name] = tuple(value[key] for key in keys)
        else:
            found[name] = value
    return found


def state_of(variables: Mapping[str, object], clock: Clock, limits: Limits) -> State:
    """Return the kernel's state for canonical variables, with the caller's clock and limits."""
    row = [0] * len(COLUMNS)
    for name, code in _CLOCK.items():
        row[code] = getattr(clock, name)
    for name, columns in _COLUMNS.items():
        values = (variables[name],) if columns[0].position < 0 else variables[name]
        for column, value in zip(columns, cast(Sequence[object], values), strict=True):
            row[column.code] = _decoded(column, value)
    return state_of_row(row, limits)
