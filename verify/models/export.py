"""`dolphin check --export-test`: a counterexample becomes a pytest over ``kernel.step``.

Theory. A negative control switches a guard of the model off and finds a behaviour that breaks a
property. The same behaviour, told to the code, must not break it: the code has the guard. So the
control's counterexample is worth a regression test, which goes red when the guard is taken out.

Rules of this file:

*   The small models speak in units of their own. The counterexample is therefore searched again in
    the generated module (``replay.py``): real units, the same guards off, the same profile, the
    same property, from states that the kernel reached itself. What TLC finds there is a list of
    events with all their parameters, which the kernel takes as they are.
*   The test holds the whole history from ``initial_state``, the events of the counterexample, and
    asserts the property's function (``kernel/invariants.py``, ``kernel/promises.py``) after every
    event. It imports the kernel and nothing else.
*   A property without a function in the kernel cannot be exported; the message says so.

Not here: what a move is (``moves.py``), the seeds (``seeds.py``).
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
from verify.models.checking import SPEC_FOLDER
from verify.models.edges import Plan, digest, explored, move_of, write_module
from verify.models.encoding import canonical, state_of
from verify.models.manifest import ManifestError, Row, read_cfg
from verify.models.moves import Move, clock_of, event_of, stimuli
from verify.models.replay import inputs_of
from verify.models.sample_states import Seed, harvest, replay_limits
from verify.models.tlc import TlcRun, run_tlc

# (events from a seed, seeds, events that the curves' tables look ahead). With a guard off the model
# may go where the kernel does not, so a table may lack an input; the second try looks further.
TRIES = ((1, 240, 1), (1, 60, 2), (2, 40, 2))


def property_function(name: str) -> str:
    """Return the module that holds the property's function. Raises ``ManifestError``."""
    for module in (invariants, promises):
        if inspect.isfunction(getattr(module, name, None)):
            return module.__name__
    raise ManifestError(
        f"{name}: no function of that name in kernel/invariants.py or kernel/promises.py, "
        "so no test over kernel.step can assert it"
    )


def is_invariant(name: str) -> bool:
    """Return whether the property is one of single states."""
    return hasattr(invariants, name)


def offline(row: Row, folder: Path) -> tuple[tuple[str, ...], Profile]:
    """Return the guards that a control switches off, and its profile."""
    constants = read_cfg((folder / row.cfg).read_text(encoding="utf-8")).constants
    guards = tuple(word.strip(' "') for word in constants.get("Off", "{}").strip("{} ").split(","))
    profile = Profile.SPECIFICATION if "specification" in constants.get("profile", "") else None
    return tuple(guard for guard in guards if guard), profile or Profile.BIBLE


def search(
    guards: Sequence[str], profile: Profile, violated: str, spec: Path = SPEC_FOLDER
) -> tuple[TlcRun, Plan, tuple[Seed, ...]]:
    """Search the counterexample in real units. Raises ``ManifestError`` when there is none."""
    moves = tuple(move for move in stimuli() if move.arguments[1:] != (True,))
    section = "INVARIANT" if is_invariant(violated) else "PROPERTY"
    run = TlcRun("error", 0, 0, 0, 0.0)
    for depth, most, ahead in TRIES:
        seeds = harvest(profile, most)
        plan = Plan("export", replay_limits(profile), tuple(seed.state for seed in seeds), moves,
                    depth)  # fmt: skip
        inputs = inputs_of(explored(replace(plan, depth=ahead)), moves)
        with tempfile.TemporaryDirectory(prefix="dolphin-export-") as scratch:
            module, cfg = write_module(
                plan, Path(scratch), inputs, off=guards, checks=(f"{section} {violated}",)
            )
            run = run_tlc(module, cfg, library=(spec,), small=False, properties=(violated,))
        if run.result == violated:
            return run, plan, seeds
    raise ManifestError(
        f"{violated} was not violated in real units within {TRIES[-1][0]} events of the seeds "
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


def test_text(row: Row, guards: Sequence[str], profile: Profile, events: Sequence[Event],
              tail: int) -> str:  # fmt: skip
    """Return the text of the pytest."""
    name = row.expected
    module = property_function(name)
    wanted = tuple(inspect.signature(getattr(invariants, name, None) or
                                     getattr(promises, name)).parameters)  # fmt: skip
    given = {"state": "after", "before": "before", "event": "event", "after": "after",
             "effects": "outcome.effects"}  # fmt: skip
    call = f"{name}({', '.join(given[parameter] for parameter in wanted)})"
    limits = replay_limits(profile)
    imported = sorted({type(event).__name__ for event in events})
    lines = [
        f'"""The counterexample of {row.cfg}, told to the code.',
        "",
        f"With {', '.join(guards)} switched off the model violates {name}; the code must not.",
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
        f"def test_{_snake(row.name)}() -> None:",
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


def export_test(folder: Path, row: Row, path: Path) -> tuple[TlcRun, Path]:
    """Write the pytest for a control's counterexample; return TLC's run and the path.

    Raises ``ManifestError`` where the row is no control, the property has no function in the
    kernel, or the counterexample has no counterpart in real units.
    """
    if not row.control:
        raise ManifestError(f"{row.name}: expected to succeed, so there is no counterexample")
    property_function(row.expected)
    guards, profile = offline(row, folder)
    if not guards:
        raise ManifestError(f"{row.name}: {row.cfg} switches no guard off")
    run, plan, seeds = search(guards, profile, row.expected, folder)
    first = state_of(
        canonical(run.trace[0].state), clock_of(Move("ReportShock")), replay_limits(profile)
    )
    seed = next(one for one in seeds if digest(one.state) == digest(first))
    moves = moves_of(run, plan)
    events = events_of(seed, moves)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(test_text(row, guards, profile, events, len(moves)), encoding="utf-8")
    spoken = [run.trace[0]]
    for step in run.trace[1:]:
        move, verdict = move_of(step.action, plan.moves)
        spoken.append(replace(step, action=f"{move} {verdict}"))
    return replace(run, trace=tuple(spoken)), path
