"""Coverage of the model by journals: its actions, and the edges of its state graph.

Theory. The state graph of Kernel in real units is not finite. Projected, it is: posture, killed,
fence confirmed, whether anything is held, which kinds of permit are out, then the event and the
verdict. The projection of the checked graph (``spec/tla/graph.json``, made by the check tool) is
what there is to cover; a journal covers an edge by taking it. What a journal takes and the small
model has not is counted apart.

Rules of this file: coverage is of accepted and refused steps that replayed. It proves nothing; it
says what was tried.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernel.events import Event
from kernel.outcome import Accepted, Outcome
from kernel.state import State
from traces.provenance import SPEC_FOLDER
from traces.schema import KINDS

GRAPH_FILE = SPEC_FOLDER / "graph.json"
Edge = tuple[int, bool, bool, bool, tuple[int, ...], str, str]
PROJECTION = ("posture", "killed", "fence_confirmed", "holding", "permits", "event", "verdict")


Place = tuple[int, bool, bool, bool, tuple[int, ...]]


def place_of(state: State) -> Place:
    """Return the projected state."""
    slots = state.gate.slots
    return (
        int(state.machine.posture),
        state.killswitch.killed,
        state.gate.fence_confirmed,
        any(slot.quantity != 0 for slot in slots),
        tuple(sorted({int(slot.permit_kind) for slot in slots if slot.permit_kind})),
    )


class GraphUnusable(Exception):
    """The projected graph is there and cannot be read; the message names file and field."""


def read_graph(path: Path = GRAPH_FILE) -> frozenset[Edge] | None:
    """Return the projected edges of the checked graph, None where the file is not there.

    ``{"projection": […], "edges": [[posture, killed, fence_confirmed, holding, [kinds], event,
    verdict], …]}``. Raises ``GraphUnusable``.
    """
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text("utf-8"))
        if tuple(data["projection"]) != PROJECTION:
            raise GraphUnusable(f"{path}: projection {data['projection']}; expected {PROJECTION}")
        return frozenset(
            (int(p), bool(k), bool(f), bool(h), tuple(kinds), event, verdict)
            for p, k, f, h, kinds, event, verdict in data["edges"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise GraphUnusable(f"{path}: {error}; expected projection and edges") from None


@dataclass
class Coverage:
    """Merged over journals."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    edges: Counter[Edge] = field(default_factory=Counter)
    _seen: tuple[object, object, bool] = (None, None, False)
    _place: Place = (0, False, False, False, ())

    def watch(self, state: State, event: Event, outcome: Outcome) -> None:
        """Count one step. Most steps leave gate and posture as they are: the same objects."""
        seen = (state.gate, state.machine, state.killswitch.killed)
        if (
            seen[0] is not self._seen[0]
            or seen[1] is not self._seen[1]
            or seen[2] is not self._seen[2]
        ):
            self._seen, self._place = seen, place_of(state)
        name = type(event).__name__
        verdict = "ok" if isinstance(outcome, Accepted) else outcome.reason.name
        self.edges[(*self._place, name, verdict)] += 1
        self.answers[name, verdict] += 1

    def data(self, graph: frozenset[Edge] | None) -> dict[str, Any]:
        """Return the coverage of actions and edges as plain data."""
        names = [kind.name for kind in KINDS]
        taken = {event for event, verdict in self.answers if verdict == "ok"}
        actions = {
            "covered": len(taken),
            "total": len(names),
            "missing": [name for name in names if name not in taken],
        }
        edges: dict[str, Any] = {"covered": len(self.edges), "total": None}
        if graph is not None:
            edges = {
                "covered": len(graph & self.edges.keys()),
                "total": len(graph),
                "beyond": len(self.edges.keys() - graph),
            }
        return {"actions": actions, "edges": edges}


def merged(parts: Iterable[Coverage]) -> Coverage:
    """Return the sum."""
    whole = Coverage()
    for part in parts:
        whole.answers.update(part.answers)
        whole.edges.update(part.edges)
    return whole
