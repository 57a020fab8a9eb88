"""The kernel's state as the variables of the TLA+ modules, and back.

Rules of this file:

*   A variable has the field's name. A field of a slot is a function of the worker; money is
    ``<<units, micros>>`` (module Money), everything else the field's own integer or boolean.
*   Both ways without loss: ``state_of(variables_of(state), ...) == state`` but for what the modules
    abstract, the clock and the limits, which the caller gives.
*   ``VARIABLES`` is the whole list and its order. A field that is not in it fails the test of
    names, not silently.

Not here: events (``replay.py``).
"""

from collections.abc import Mapping, Sequence
from typing import cast

from kernel.constants import PPM, Pending, Permit, Posture, Status
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

WORKERS = range(8)
PARTITIONS = range(4)

KILLSWITCH = (
    "heartbeat_age_ms",
    "grid_members",
    "latched_checksum",
    "latched_desync",
    "latched_operator",
    "journal_writable",
    "killed",
    "operator_request",
    "operator_request_age_ms",
)
SURVIVAL = (
    "forewarner_status",
    "forewarner_age_ms",
    "book_age_ms",
    "shock_age_ms",
    "depth_quality_ppm",
    "fill_probability_ppm",
    "book_latency_ms",
    "book_jitter_ms",
    "multiplier_ppm",
)
MACHINE = ("posture", "bars_below", "bars_above")
GATE = ("fence_epoch", "fence_confirmed", "reserved_notional", "open_notional")
SLOT = (
    "instrument",
    "mark",
    "quantity",
    "cost",
    "permit_kind",
    "permit_quantity",
    "permit_price",
)
LEDGER = (
    "cash",
    "contributed",
    "realised_pnl",
    "fees",
    "unrealised_pnl",
    "equity_peak",
    "drawdown_ppm",
)
VARIABLES = (*KILLSWITCH, *SURVIVAL, *MACHINE, *GATE, *SLOT, *LEDGER)
MONEY = frozenset(
    {
        "mark",
        "cost",
        "permit_price",
        "reserved_notional",
        "open_notional",
        "cash",
        "contributed",
        "realised_pnl",
        "fees",
        "unrealised_pnl",
        "equity_peak",
    }
)

Variables = dict[str, object]


def money(micros: int) -> tuple[int, int]:
    """Return an amount as the modules' two limbs."""
    return micros // PPM, micros % PPM


def micros(pair: object) -> int:
    """Return the modules' two limbs as micro-USDT."""
    units, rest = cast(Sequence[int], pair)
    return units * PPM + rest


def _encode(name: str, value: object) -> object:
    if name in MONEY:
        return money(cast(int, value))
    return value if isinstance(value, bool) else int(cast(int, value))


def variables_of(state: State) -> Variables:
    """Return the state as variables: plain ints, bools, pairs; tuples for functions of 0..n."""
    found: Variables = {}
    groups = (
        (KILLSWITCH[1:], state.killswitch),
        (SURVIVAL, state.survival),
        (MACHINE, state.machine),
        (GATE, state.gate),
        (LEDGER, state.ledger),
    )
    found["heartbeat_age_ms"] = state.killswitch.heartbeat_age_ms
    for names, group in groups:
        for name in names:
            found[name] = _encode(name, getattr(group, name))
    for name in SLOT:
        found[name] = tuple(_encode(name, getattr(slot, name)) for slot in state.gate.slots)
    return {name: found[name] for name in VARIABLES}


def canonical(variables: Mapping[str, object]) -> Variables:
    """Return a state that TLC printed in the form of ``variables_of``.

    TLC prints a function over 0..n as ``(0 :> a @@ …)``; keys beyond what the kernel has, or
    missing ones, raise ``ValueError``.
    """
    found: Variables = {}
    for name in VARIABLES:
        if name not in variables:
            raise ValueError(f"the model's state has no variable {name}")
        value = variables[name]
        if isinstance(value, Mapping):
            keys = PARTITIONS if name == "heartbeat_age_ms" else WORKERS
            if sorted(cast(Mapping[int, object], value)) != list(keys):
                raise ValueError(f"{name}: keys {sorted(map(str, value))}, expected 0..{keys[-1]}")
            found[name] = tuple(value[key] for key in keys)
        else:
            found[name] = value
    return found


def state_of(variables: Mapping[str, object], clock: Clock, limits: Limits) -> State:
    """Return the kernel's state for canonical variables, with the caller's clock and limits."""

    def integer(name: str) -> int:
        return micros(variables[name]) if name in MONEY else cast(int, variables[name])

    def boolean(name: str) -> bool:
        value = variables[name]
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, expected a boolean")
        return value

    def at(name: str, worker: int) -> int:
        value = cast(Sequence[object], variables[name])[worker]
        return micros(value) if name in MONEY else cast(int, value)

    slots = tuple(
        Slot(
            instrument=at("instrument", worker),
            mark=at("mark", worker),
            quantity=at("quantity", worker),
            cost=at("cost", worker),
            permit_kind=Permit(at("permit_kind", worker)),
            permit_quantity=at("permit_quantity", worker),
            permit_price=at("permit_price", worker),
        )
        for worker in WORKERS
    )
    return State(
        clock=clock,
        killswitch=KillSwitch(
            heartbeat_age_ms=cast(Ages, variables["heartbeat_age_ms"]),
            grid_members=integer("grid_members"),
            latched_checksum=boolean("latched_checksum"),
            latched_desync=boolean("latched_desync"),
            latched_operator=boolean("latched_operator"),
            journal_writable=boolean("journal_writable"),
            killed=boolean("killed"),
            operator_request=Pending(integer("operator_request")),
            operator_request_age_ms=integer("operator_request_age_ms"),
        ),
        survival=Survival(
            forewarner_status=Status(integer("forewarner_status")),
            forewarner_age_ms=integer("forewarner_age_ms"),
            book_age_ms=integer("book_age_ms"),
            shock_age_ms=integer("shock_age_ms"),
            depth_quality_ppm=integer("depth_quality_ppm"),
            fill_probability_ppm=integer("fill_probability_ppm"),
            book_latency_ms=integer("book_latency_ms"),
            book_jitter_ms=integer("book_jitter_ms"),
            multiplier_ppm=integer("multiplier_ppm"),
        ),
        machine=PostureMachine(
            posture=Posture(integer("posture")),
            bars_below=integer("bars_below"),
            bars_above=integer("bars_above"),
        ),
        gate=Gate(
            fence_epoch=integer("fence_epoch"),
            fence_confirmed=boolean("fence_confirmed"),
            slots=cast(Slots, slots),
            reserved_notional=integer("reserved_notional"),
            open_notional=integer("open_notional"),
        ),
        ledger=Ledger(
            cash=integer("cash"),
            contributed=integer("contributed"),
            realised_pnl=integer("realised_pnl"),
            fees=integer("fees"),
            unrealised_pnl=integer("unrealised_pnl"),
            equity_peak=integer("equity_peak"),
            drawdown_ppm=integer("drawdown_ppm"),
        ),
        limits=limits,
    )
