"""Model → code: every edge of the replayed graphs, taken by the kernel too.

Theory. TLC computes a graph from the TLA+ modules (``replay.py``). Each edge says: in this state
this event is accepted, and that is the next state; or it is refused for this reason, and nothing
moves. The kernel is put into the same state, told the same event, and must answer the same:
Accepted or Refused, the reason, the effects, every field of the next state.

Rules of this file:

*   An edge that cannot be mapped is an error, never a skip: an action that is no move, a state that
    is no kernel state, a state whose edges are not exactly one per move.
*   Effects are derived from the two states by the rule in docs/KERNEL.md, not by the kernel's code.
*   The corpus (counts by event, reason and effect, and a hash over every edge) is committed as
    ``spec/tla/edges.json``, and the abstract edges as ``spec/tla/graph.json``; both are drawn up
    again by the test and compared: drift fails.

    python -m verify.models.edges [--update]     draw it up, compare or write it

Not here: what an abstract edge is (``abstraction.py``).
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from kernel.constants import AGE_MS_MAX, PPM, Profile
from kernel.events import Event
from kernel.outcome import Accepted, Effects, Outcome
from kernel.state import Clock, Limits, State
from kernel.step import step_bare
from traces.audit.coverage import Edge
from verify.models.abstraction import abstract_edge_of, graph_text
from verify.models.checking import SPEC_FOLDER
from verify.models.dot import Graph, read_dot
from verify.models.encoding import canonical, state_of, variables_of
from verify.models.moves import PRICE, Move, clock_of, event_of, stimuli
from verify.models.replay import (
    MODULE,
    Inputs,
    constants_text,
    inputs_of,
    module_text,
)
from verify.models.sample_states import harvest, opening_state, replay_limits
from verify.models.tlc import TlcRun, run_tlc

CORPUS = SPEC_FOLDER / "edges.json"
ABSTRACT = SPEC_FOLDER / "graph.json"
STILL = clock_of(Move("ReportShock"))
Stepper = Callable[[State, Event], Outcome]


class EdgeError(ValueError):
    """A graph, or an edge of one, that cannot be mapped to the kernel."""


@dataclass(frozen=True)
class Plan:
    """A graph to be replayed: where it begins, what may happen, how far it goes."""

    name: str
    limits: Limits
    seeds: tuple[State, ...]
    moves: tuple[Move, ...]
    depth: int


@dataclass(frozen=True)
class Mismatch:
    """An edge on which the kernel and the model differ, and in what."""

    move: Move
    verdict: str
    differences: tuple[str, ...]


@dataclass
class Summary:
    """What was replayed, in numbers; what is committed."""

    name: str
    states: int = 0
    edges: int = 0
    accepted: int = 0
    events: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    sha256: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the summary with its counters sorted by name."""
        return {
            "name": self.name,
            "states": self.states,
            "edges": self.edges,
            "accepted": self.accepted,
            "events": dict(sorted(self.events.items())),
            "reasons": dict(sorted(self.reasons.items())),
            "effects": dict(sorted(self.effects.items())),
            "sha256": self.sha256,
        }


FIXPOINT = 10_000  # a depth that no graph here reaches


def plans() -> tuple[Plan, ...]:
    """Return the graphs that are replayed.

    Every edge out of 240 states of distinct kinds per profile; and two whole reachable graphs of
    small alphabets, the kill-switch with its operator and the gate with its fence.
    """
    whole = stimuli()
    found = [
        Plan(f"kernel-{profile.name.lower()}", replay_limits(profile),
             tuple(seed.state for seed in harvest(profile, 240)), whole, 1)
        for profile in Profile
    ]  # fmt: skip
    switch_limits = replace(replay_limits(Profile.BIBLE), cooling_ms=0)
    switch = (
        *(Move("AdvanceTime", (dt,)) for dt in (0, AGE_MS_MAX)),
        *(Move("RecordHeartbeat", (partition,)) for partition in range(4)),
        *(Move("ReportGrid", (members,)) for members in (0, 1)),
        *(Move("TripKillSwitch", (cause,)) for cause in (1, 2, 3)),
        Move("RequestRearm"), Move("ConfirmRearm"),
        Move("RequestPeakReset"), Move("ConfirmPeakReset"),
        Move("FailJournal"), Move("RestoreJournal"),
    )  # fmt: skip
    found.append(
        Plan("killswitch-whole", switch_limits, (opening_state(switch_limits),), switch, FIXPOINT)
    )
    found.append(gate_plan())
    return tuple(found)


def gate_plan() -> Plan:
    """Return the whole graph of one worker trading at APEX, killed, flattened, at one price."""
    limits = replay_limits(Profile.BIBLE)
    seeds = [seed.state for seed in harvest(Profile.BIBLE, 240)]
    apex = next(
        state
        for state in seeds
        if int(state.machine.posture) == 3
        and state.gate.fence_confirmed
        and not state.machine.bars_below
        and state.gate.slots[0].instrument == 1
        and state.gate.slots[0].mark == PRICE
        and not any(slot.quantity or slot.permit_quantity for slot in state.gate.slots)
    )

    def order(side: int, reduce_only: bool, quantity: int) -> Move:
        return Move("RequestOrder", (0, 1, side, reduce_only, True, quantity, 0, PPM))

    moves = (
        order(1, False, 3), order(-1, False, 2),
        *(order(side, True, lots) for side in (1, -1) for lots in (1, 2, 3)),
        *(Move("ReportFill", (0, lots, PRICE, 0)) for lots in (1, 2)),
        Move("CloseOrder", (0,)), Move("ConfirmFence", (0,)),
        Move("ClaimInstrument", (0, 0)), Move("ClaimInstrument", (0, 1)),
        Move("UpdateMark", (1, PRICE)), Move("TripKillSwitch", (3,)),
        Move("ReconcileLedger", (0, 0)), Move("ReconcileLedger", (0, 1)),
    )  # fmt: skip
    return Plan("gate-whole", limits, (apex,), moves, FIXPOINT)


def explored(plan: Plan) -> list[State]:
    """Return the states that the kernel reaches under a plan: where the curves will be asked.

    Only the tables' inputs come from this. A model that goes elsewhere asks a table for an input
    that it has not, and TLC stops.
    """
    seen: dict[str, State] = {}
    layer = list(plan.seeds)
    for _ in range(plan.depth):
        fresh = [state for state in layer if seen.setdefault(digest(state), state) is state]
        layer = []
        if len(seen) > 200_000:
            raise EdgeError(f"{plan.name}: over 200,000 states")
        for state in fresh:
            for move in plan.moves:
                outcome = step_bare(*posed(state, move))
                if isinstance(outcome, Accepted):
                    layer.append(outcome.state)
        if not layer:
            break
    for state in layer:
        seen.setdefault(digest(state), state)
    return list(seen.values())


def posed(state: State, move: Move) -> tuple[State, Event]:
    """Return the state on the clock that the move needs, and the event."""
    placed = replace(state, clock=clock_of(move))
    return placed, event_of(move, placed)


def digest(state: State) -> str:
    """Return a hash of what the modules see of a state."""
    return _digest(variables_of(state))


def _digest(variables: Mapping[str, object]) -> str:
    text = repr(sorted(variables.items()))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def write_module(
    plan: Plan, folder: Path, inputs: Inputs, checks: Sequence[str] = ()
) -> tuple[Path, Path]:
    """Write the generated module and its configuration into ``folder``; return both paths."""
    module = folder / f"{MODULE}.tla"
    module.write_text(
        module_text(plan.limits, plan.seeds, plan.moves, inputs, plan.depth), encoding="utf-8"
    )
    lines = ["INIT RInit", "NEXT RNext", "CHECK_DEADLOCK FALSE"]
    lines += constants_text(plan.limits)
    lines += checks
    cfg = folder / f"{MODULE}.cfg"
    cfg.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return module, cfg


def dump(plan: Plan, spec: Path = SPEC_FOLDER) -> tuple[TlcRun, Graph]:
    """Run TLC on a plan; return the run and its graph. Raises ``EdgeError`` if it did not end."""
    inputs = inputs_of(explored(plan), plan.moves)
    with tempfile.TemporaryDirectory(prefix="dolphin-edges-") as scratch:
        folder = Path(scratch)
        module, cfg = write_module(plan, folder, inputs)
        path = folder / "graph.dot"
        run = run_tlc(module, cfg, library=(spec,), dump=path, small=False)
        if run.result != "success":
            raise EdgeError(f"{plan.name}: TLC says {run.result}: {' '.join(run.message.split())}")
        return run, read_dot(path)


def expected_effects(
    move: Move, before: Mapping[str, object], after: Mapping[str, object]
) -> Effects:
    """Return the effects that docs/KERNEL.md derives from the two states of an accepted step.

    A renewed flatten may look the same as the one it replaces, so two events are asked for
    themselves: a confirmed fence renews every flatten, a closed order that of its worker.
    """
    old, new = before["permit_kind"], after["permit_kind"]
    assert isinstance(old, tuple)
    assert isinstance(new, tuple)
    issued = any(b != a and a in (1, 2) for b, a in zip(old, new, strict=True))
    flattened = any(b != 3 and a == 3 for b, a in zip(old, new, strict=True))
    if move.action == "ConfirmFence":
        flattened = 3 in new
    if move.action == "CloseOrder":
        worker = move.arguments[0]
        assert isinstance(worker, int)
        flattened = new[worker] == 3
    return Effects(
        cancel_all_orders=before["fence_epoch"] != after["fence_epoch"],
        flatten_positions=flattened,
        issue_permit=issued,
    )


def expected_clock(move: Move, clock: Clock) -> Clock:
    """Return the clock after an accepted move: the modules see only its differences."""
    if move.action == "AdvanceTime":
        (dt,) = move.arguments
        assert isinstance(dt, int)
        return replace(clock, process_time_ms=clock.process_time_ms + dt)
    if move.action == "CloseBar":
        dt = move.arguments[0]
        assert isinstance(dt, int)
        return replace(clock, market_time_ms=clock.market_time_ms + dt)
    return clock


def move_of(label: str, moves: Sequence[Move]) -> tuple[Move, str]:
    """Return the move and the verdict that an edge's label stands for."""
    head, _, verdict = label.partition("_")
    number = head.removeprefix("E")
    if not head.startswith("E") or not number.isdigit() or int(number) >= len(moves) or not verdict:
        raise EdgeError(f"edge '{label}' is no move of the stimuli")
    return moves[int(number)], verdict


def compare_edge(
    move: Move, verdict: str, source: Mapping[str, object], target: Mapping[str, object],
    state: State, stepper: Stepper,
) -> tuple[str, ...]:  # fmt: skip
    """Return how the kernel's answer differs from the model's edge; empty when it does not.

    ``state`` is the kernel's state of ``source``, on the clock that the move needs.
    """
    outcome = stepper(state, event_of(move, state))
    if verdict != "ok":
        if source != target:
            return ("the model's refusal changes the state",)
        if isinstance(outcome, Accepted):
            return (f"model refuses with {verdict}, kernel accepts",)
        if outcome.reason.name != verdict:
            return (f"reason: model {verdict}, kernel {outcome.reason.name}",)
        return ()
    if not isinstance(outcome, Accepted):
        return (f"model accepts, kernel refuses with {outcome.reason.name}",)
    found = variables_of(outcome.state)
    differences = [
        f"{name}: model {target[name]}, kernel {value}"
        for name, value in found.items()
        if target[name] != value
    ]
    clock = expected_clock(move, state.clock)
    if outcome.state.clock != clock:
        differences.append(f"clock: model {clock}, kernel {outcome.state.clock}")
    if outcome.state.limits != state.limits:
        differences.append("limits changed")
    effects = expected_effects(move, source, target)
    if outcome.effects != effects:
        differences.append(f"effects: model {effects}, kernel {outcome.effects}")
    return tuple(differences)


def situations(plan: Plan, graph: Graph) -> set[Edge]:
    """Return the abstract edges of a graph (``abstraction.py``)."""
    states = {node: canonical(state) for node, state in graph.states.items()}
    found: set[Edge] = set()
    for source, _, label in graph.edges:
        move, verdict = move_of(label, plan.moves)
        found.add(abstract_edge_of(states[source], move.action, verdict))
    return found


# KRN-CONF-002, KRN-CONF-003
def replay(
    plan: Plan, graph: Graph, stepper: Stepper = step_bare
) -> tuple[Summary, list[Mismatch]]:
    """Take every edge of a graph through the kernel. Raises ``EdgeError`` on what is unmappable."""
    states = {node: canonical(state) for node, state in graph.states.items()}
    digests = {node: _digest(state) for node, state in states.items()}
    summary = Summary(plan.name, states=len(states))
    mismatches: list[Mismatch] = []
    answered: dict[int, Counter[Move]] = {}
    built: dict[int, State] = {}
    lines: list[str] = []
    for source, target, label in graph.edges:
        move, verdict = move_of(label, plan.moves)
        answered.setdefault(source, Counter())[move] += 1
        before, after = states[source], states[target]
        if source not in built:
            built[source] = state_of(before, STILL, plan.limits)
        state = replace(built[source], clock=clock_of(move))
        differences = compare_edge(move, verdict, before, after, state, stepper)
        if differences:
            mismatches.append(Mismatch(move, verdict, differences))
        summary.edges += 1
        summary.events[move.action] += 1
        effect = "none"
        if verdict == "ok":
            summary.accepted += 1
            effects = expected_effects(move, before, after)
            effect = next((name for name, set_ in vars(effects).items() if set_), "none")
            summary.effects[effect] += 1
        else:
            summary.reasons[verdict] += 1
        lines.append(f"{digests[source]} {move} {verdict} {effect} {digests[target]}")
    for seed in plan.seeds:
        if digest(seed) not in {digests[node] for node in answered}:
            raise EdgeError(f"{plan.name}: a seed has no edge")
    for node, moves in answered.items():
        wrong = [move for move in plan.moves if moves[move] != 1]
        if wrong:
            raise EdgeError(
                f"{plan.name}: state {digests[node]} answers {wrong[0]} {moves[wrong[0]]} times, "
                f"expected once ({len(wrong)} moves like this)"
            )
    if plan.depth >= FIXPOINT and len(answered) != len(states):
        raise EdgeError(f"{plan.name}: {len(states) - len(answered)} states were not expanded")
    summary.sha256 = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    return summary, mismatches


def dumped() -> list[tuple[Plan, Graph]]:
    """Return every plan with its graph, two TLCs at a time."""
    listed = plans()
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(zip(listed, (graph for _, graph in pool.map(dump, listed)), strict=True))


def corpus(graphs: Sequence[tuple[Plan, Graph]]) -> tuple[str, str, list[Mismatch]]:
    """Replay the graphs; return the texts of edges.json and graph.json, and the mismatches."""
    summaries: list[dict[str, object]] = []
    mismatches: list[Mismatch] = []
    abstract: set[Edge] = set()
    for plan, graph in graphs:
        summary, wrong = replay(plan, graph)
        summaries.append(summary.as_json())
        mismatches += wrong
        abstract |= situations(plan, graph)
    return json.dumps({"graphs": summaries}, indent=1) + "\n", graph_text(abstract), mismatches


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw up the corpus; compare it with what is committed, or write it with ``--update``."""
    parser = argparse.ArgumentParser(prog="python -m verify.models.edges")
    parser.add_argument("--update", action="store_true", help="write edges.json and graph.json")
    asked = parser.parse_args(arguments)
    text, graph, mismatches = corpus(dumped())
    for mismatch in mismatches[:20]:
        sys.stderr.write(f"{mismatch.move} {mismatch.verdict}: {'; '.join(mismatch.differences)}\n")
    if mismatches:
        sys.stderr.write(f"{len(mismatches)} edges on which kernel and model differ\n")
        return 1
    status = 0
    for path, wanted in ((CORPUS, text), (ABSTRACT, graph)):
        if asked.update:
            path.write_text(wanted, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != wanted:
            sys.stderr.write(f"{path}: drifted (--update writes it anew)\n")
            status = 1
    for summary in json.loads(text)["graphs"]:
        sys.stdout.write(
            f"{summary['name']}: {summary['states']} states, {summary['edges']} edges\n"
        )
    return status


if __name__ == "__main__":
    sys.exit(main())
