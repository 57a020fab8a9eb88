"""Frame conditions: what a change of one group of the state leaves unchanged.

Rules of this file:

*   Contract text: predicates that decorators, tests and provers evaluate, and no decision of a
    step. An invariant alone lets most mutants live, so the whole effect is said, what stays too.
*   ``is``: the same object, since the prover follows no other equality of objects.
*   It stands below the code that it speaks about.

Not here: what a change means (the part that makes it). Spec module: Kernel.
"""

from kernel.constants import Posture
from kernel.contracts import pure
from kernel.state import PostureMachine, State


@pure
def same_but_clock(a: State, b: State) -> bool:
    """Whether the two states differ in the clock alone, if at all."""
    return (
        a.killswitch is b.killswitch
        and a.survival is b.survival
        and a.machine is b.machine
        and a.gate is b.gate
        and a.ledger is b.ledger
        and a.limits is b.limits
    )


@pure
def same_but_killswitch(a: State, b: State) -> bool:
    """Whether the two states differ in the kill-switch alone, if at all."""
    return (
        a.clock is b.clock
        and a.survival is b.survival
        and a.machine is b.machine
        and a.gate is b.gate
        and a.ledger is b.ledger
        and a.limits is b.limits
    )


@pure
def same_but_survival(a: State, b: State) -> bool:
    """Whether the two states differ in the survival readings alone, if at all."""
    return (
        a.clock is b.clock
        and a.killswitch is b.killswitch
        and a.machine is b.machine
        and a.gate is b.gate
        and a.ledger is b.ledger
        and a.limits is b.limits
    )


@pure
def same_but_machine(a: State, b: State) -> bool:
    """Whether the two states differ in the posture machine alone, if at all."""
    return (
        a.clock is b.clock
        and a.killswitch is b.killswitch
        and a.survival is b.survival
        and a.gate is b.gate
        and a.ledger is b.ledger
        and a.limits is b.limits
    )


@pure
def same_but_gate(a: State, b: State) -> bool:
    """Whether the two states differ in the gate alone, if at all."""
    return (
        a.clock is b.clock
        and a.killswitch is b.killswitch
        and a.survival is b.survival
        and a.machine is b.machine
        and a.ledger is b.ledger
        and a.limits is b.limits
    )


@pure
def same_but_ledger(a: State, b: State) -> bool:
    """Whether the two states differ in the ledger alone, if at all."""
    return (
        a.clock is b.clock
        and a.killswitch is b.killswitch
        and a.survival is b.survival
        and a.machine is b.machine
        and a.gate is b.gate
        and a.limits is b.limits
    )


@pure
def machine_is(machine: PostureMachine, posture: Posture, below: int, above: int) -> bool:
    """Whether the posture machine's three fields are these."""
    return (
        machine.posture == posture and machine.bars_below == below and machine.bars_above == above
    )
