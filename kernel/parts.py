"""A state with one of its groups replaced.

Rules of this file:

*   Every field is written out: the provers cannot follow ``dataclasses.replace``, and the reader of
    a handler sees by the function's name which group it touches and that it touches no other.
*   Nothing is computed here. ``same_but_GROUP`` says of two states what each of them keeps.

Not here: what a change means (the part that makes it).
"""

from kernel.contract.outcome import effects_are
from kernel.contract.parts import (
    same_but_clock,
    same_but_gate,
    same_but_killswitch,
    same_but_ledger,
    same_but_machine,
    same_but_survival,
)
from kernel.contracts import ensure_part
from kernel.outcome import Accepted, no_effects
from kernel.state import Clock, Gate, KillSwitch, Ledger, PostureMachine, State, Survival


@ensure_part(lambda state, clock, result: result.clock is clock and same_but_clock(state, result))
def with_clock(state: State, clock: Clock) -> State:
    """Return the state with its clock replaced."""
    return State(
        clock=clock,
        killswitch=state.killswitch,
        survival=state.survival,
        machine=state.machine,
        gate=state.gate,
        ledger=state.ledger,
        limits=state.limits,
    )


@ensure_part(
    lambda state, killswitch, result: (
        result.killswitch is killswitch and same_but_killswitch(state, result)
    )
)
def with_killswitch(state: State, killswitch: KillSwitch) -> State:
    """Return the state with its kill-switch replaced."""
    return State(
        clock=state.clock,
        killswitch=killswitch,
        survival=state.survival,
        machine=state.machine,
        gate=state.gate,
        ledger=state.ledger,
        limits=state.limits,
    )


@ensure_part(
    lambda state, survival, result: result.survival is survival and same_but_survival(state, result)
)
def with_survival(state: State, survival: Survival) -> State:
    """Return the state with its survival readings replaced."""
    return State(
        clock=state.clock,
        killswitch=state.killswitch,
        survival=survival,
        machine=state.machine,
        gate=state.gate,
        ledger=state.ledger,
        limits=state.limits,
    )


@ensure_part(
    lambda state, machine, result: result.machine is machine and same_but_machine(state, result)
)
def with_machine(state: State, machine: PostureMachine) -> State:
    """Return the state with its posture machine replaced."""
    return State(
        clock=state.clock,
        killswitch=state.killswitch,
        survival=state.survival,
        machine=machine,
        gate=state.gate,
        ledger=state.ledger,
        limits=state.limits,
    )


@ensure_part(lambda state, gate, result: result.gate is gate and same_but_gate(state, result))
def with_gate(state: State, gate: Gate) -> State:
    """Return the state with its gate replaced."""
    return State(
        clock=state.clock,
        killswitch=state.killswitch,
        survival=state.survival,
        machine=state.machine,
        gate=gate,
        ledger=state.ledger,
        limits=state.limits,
    )


@ensure_part(
    lambda state, ledger, result: result.ledger is ledger and same_but_ledger(state, result)
)
def with_ledger(state: State, ledger: Ledger) -> State:
    """Return the state with its ledger replaced."""
    return State(
        clock=state.clock,
        killswitch=state.killswitch,
        survival=state.survival,
        machine=state.machine,
        gate=state.gate,
        ledger=ledger,
        limits=state.limits,
    )


@ensure_part(
    lambda state, result: result.state is state and effects_are(result.effects, False, False, False)
)
def accepted(state: State) -> Accepted:
    """Return the outcome of a step that asks nothing of the shell."""
    return Accepted(state=state, effects=no_effects())
