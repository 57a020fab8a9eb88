"""`dolphin check --export-test`: a counterexample becomes a pytest over ``kernel.step``.

Theory. A negative control takes a rule of the model away and finds a behaviour that breaks a
property. The same behaviour, told to the code, must not break it: the code has the rule. So the
control's counterexample is worth a regression test, which goes red when the rule is taken out.

Rules of this file:

*   The small models speak in units of their own. The counterexample is therefore searched again in
    the generated module (``replay.py``): real units, the same edits, the same profile, the same
    property, from states that the kernel reached itself. What TLC finds there is a list of
    events with all their parameters, which the kernel takes as they are.
*   The test holds the whole history from ``initial_state``, the events of the counterexample, and
    asserts the property's function (``kernel/invariants.py``, ``kernel/promises.py``) after every
    event. It imports the kernel and nothing else.
*   What cannot be exported says why in one line (``why_not``): a property without a function in the
    kernel, an edit of a module that the kernel's model does not have, a behaviour that needs more
    events than are searched.

Not here: what a move is (``moves.py``), the sample states (``sample_states.py``).
"""

import inspect
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kernel import invariants, promises
from kernel.constants import Profile
from kernel.events import Event
from kernel.outcome import Accepted
from kernel.state import State
from kernel.step import step_bare
from verify.models.checking import SPEC_FOLDER, control_of
from verify.models.controls import Control, control_texts
from verify.models.edges import Plan, digest, explored, move_of, write_module
from verify.models.encoding import canonical, state_of
from verify.models.manifest import ManifestError, Row, read_cfg
from verify.models.moves import Move, clock_of, event_of, stimuli
from verify.models.replay import inputs_of
from verify.models.sample_states import Seed, harvest, replay_limits
from verify.models.tla import closure_of
from verify.models.tlc import TlcRun, run_tlc

# (events from a seed, seeds, events that the curves' tables look ahead). With a guard off the model
# may go where the kernel does not, so a table may lack an input; the second try looks further.
TRIES = ((1, 240, 1), (1, 60, 2), (2, 40, 2))


def _has_function(name: str) -> bool:
    return any(inspect.isfunction(getattr(module, name, None)) for module in (invariants, promises))


def property_function(name: str) -> str:
    """Return the module that holds the property's function."""
    return (invariants if is_invariant(name) else promises).__name__


def is_invariant(name: str) -> bool:
    """Return whether the property is one of single states."""
    return hasattr(invariants, name)


def why_not(folder: Path, row: Row) -> str:
    """Return why a row has no test to export, known without a search; "" where it may have one."""
    control = control_of(folder, row)
    if control is None:
        return f"{row.name}: expected to succeed, so there is no counterexample"
    if not _has_function(row.expected):
        return (
            f"{row.name}: {row.expected}: no function of that name in kernel/invariants.py or "
            "kernel/promises.py, so no test over kernel.step can assert it"
        )
    inside = closure_of(folder, "Kernel")
    for edit in control.edits:
        if edit.module not in inside:
            return (
                f"{row.name}: it edits {edit.place}, which is no part of Kernel.tla, "
                "so its counterexample is no list of the kernel's events"
            )
    return ""


def profile_of(folder: Path, row: Row) -> Profile:
    """Return the profile that a row's configuration runs; the bible's where it names none."""
    constants = read_cfg((folder / row.cfg).read_text(encoding="utf-8")).constants
    named = "specification" in constants.get("profile", "")
    return Profile.SPECIFICATION if named else Profile.BIBLE


def search(
    control: Control, profile: Profile, folder: Path = SPEC_FOLDER
) -> tuple[TlcRun, Plan, tuple[Seed, ...]]:
    """Search the counterexample in real units. Raises ``ManifestError`` when there is none."""
    violated = control.violates
    moves = tuple(move for move in stimuli() if move.arguments[1:] != (True,))
    section = "INVARIANT" if is_invariant(violated) else "PROPERTY"
    run = TlcRun("error", 0, 0, 0, 0.0)
    for depth, most, ahead in TRIES:
        seeds = harvest(profile, most)
        plan = Plan("export", replay_limits(profile), tuple(seed.state for seed in seeds), moves,
                    depth)  # fmt: skip
        inputs = inputs_of(explored(replace(plan, depth=ahead)), moves)
        with tempfile.TemporaryDirectory(prefix="dolphin-export-") as scratch:
            place = Path(scratch)
            for name, text in control_texts(folder, control, "Kernel").items():
                (place / f"{name}.tla").write_text(text, encoding="utf-8")
            module, cfg = write_module(plan, place, inputs, (f"{section} {violated}",))
            run = run_tlc(module, cfg, small=False, properties=(violated,))
        if run.result == violated:
            return run, plan, seeds
    raise ManifestError(
        f"{control.name}: {violated} was not violated in real units within {TRIES[-1][0]} events "
        f"of {TRIES[0][1]} states that the kernel reaches "
        f"(TLC: {run.result} {' '.join(run.message.split())[:200]})"
    )


def moves_of(run: TlcRun, plan: Plan) -> list[Move]:
    """Return the moves of a counterexample, its initial state left out."""
    return [move_of(step.action, plan.moves)[0] for step in run.trace[1:]]


def events_of(seed: Seed, moves: Sequence[Move]) -> list[Event]:
    """Return the history of the seed and the moves as events, each relative to where it is told."""
    state: State = seed.state
    events = list(seed.history)
    for move in moves:
        event = event_of(move, state)
        events.append(event)
        outcome = step_bare(state, event)
        if isinstance(outcome, Accepted):
            state = outcome.state
    return events


def test_text(control: Control, profile: Profile, events: Sequence[Event], tail: int) -> str:
    """Return the text of the pytest."""
    name = control.violates
    module = property_function(name)
    wanted = tuple(inspect.signature(getattr(invariants, name, None) or
                                     getattr(promises, name)).parameters)  # fmt: skip
    given = {"state": "after", "before": "before", "event": "event", "after": "after",
             "effects": "outcome.effects"}  # fmt: skip
    call = f"{name}({', '.join(given[parameter] for parameter in wanted)})"
    limits = replay_limits(profile)
    rules = ", ".join(dict.fromkeys(f"{edit.name} ({edit.place})" for edit in control.edits))
    imported = sorted({type(event).__name__ for event in events})
    lines = [
        f'"""The counterexample of the negative control {control.name}, as a test of the code.',
        "",
        f"Without {rules} the model violates {name}; the code must not.",
        "Written by `dolphin check --export-test`; the events before the last "
        f"{tail} lead to a state that the kernel reaches by itself.",
        '"""',
        "",
        "from kernel.constants import Profile",
        "from kernel.events import (",
        *(f"    {one}," for one in imported),
        ")",
        f"from {module} import {name}",
        "from kernel.outcome import Accepted",
        "from kernel.state import Limits, initial_state, opening_ledger",
        "from kernel.step import step_bare",
        "",
        "LIMITS = Limits(",
        f"    profile=Profile.{profile.name},",
        *(f"    {field}={getattr(limits, field)!r}," for field in list(vars(limits))[1:]),
        ")",
        "",
        "EVENTS = (",
        *(f"    {event!r}," for event in events[: len(events) - tail]),
        "    # the counterexample:",
        *(f"    {event!r}," for event in events[len(events) - tail :]),
        ")",
        "",
        "",
        f"def test_{_snake(control.name)}() -> None:",
        f"    before = initial_state(LIMITS, opening_ledger({_cash()}), {_times()})",
        "    for event in EVENTS:",
        "        outcome = step_bare(before, event)",
        "        if not isinstance(outcome, Accepted):",
        "            continue",
        "        after = outcome.state",
        f'        assert {call}, f"{{event}} broke {name}"',
        "        before = after",
    ]
    return "\n".join(lines) + "\n"


def _snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name).strip("_")


def _cash() -> int:
    from verify.models.sample_states import OPENING_CASH

    return OPENING_CASH


def _times() -> str:
    from verify.models.sample_states import opening_state

    clock = opening_state(replay_limits(Profile.BIBLE)).clock
    return f"{clock.process_time_ms}, {clock.market_time_ms}"


def exported(folder: Path, row: Row) -> tuple[TlcRun, str]:
    """Return TLC's run on a control in real units, and the text of the pytest made of it.

    Raises ``ManifestError`` where there is nothing to export (``why_not``), or the counterexample
    has no counterpart in real units.
    """
    if why := why_not(folder, row):
        raise ManifestError(why)
    control = control_of(folder, row)
    assert control is not None
    profile = profile_of(folder, row)
    run, plan, seeds = search(control, profile, folder)
    first = state_of(
        canonical(run.trace[0].state), clock_of(Move("ReportShock")), replay_limits(profile)
    )
    seed = next((one for one in seeds if digest(one.state) == digest(first)), None)
    if seed is None:
        raise ManifestError(f"{row.name}: TLC's counterexample begins at none of the states given")
    moves = moves_of(run, plan)
    text = test_text(control, profile, events_of(seed, moves), len(moves))
    spoken = [run.trace[0]]
    for step in run.trace[1:]:
        move, verdict = move_of(step.action, plan.moves)
        spoken.append(replace(step, action=f"{move} {verdict}"))
    return replace(run, trace=tuple(spoken)), text
