"""The dependency graph: named places of the tree, and edges with their reason.

Rules of this file:

*   An edge says: ``dependent`` has to be looked at, or run, when ``dependee`` changes, and why.
*   Some edges are followed no further (``last``). A model's operator and the kernel's function of
    the same name have to agree, so each is to be looked at when the other changes; but what rests
    on the function does not rest on the operator.
*   A walk gives each place its nearest reason: breadth first, ties by name.

Not here: where edges come from (``graph_python.py``, ``graph_models.py``, ``impact.py``).
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CODE, SPEC, MODEL, PROOF, TEST, REQUIREMENT = (
    "code", "specs", "models", "proofs", "tests", "requirements",
)  # fmt: skip
SECTIONS = (CODE, SPEC, MODEL, PROOF, REQUIREMENT, TEST)


@dataclass(frozen=True, order=True)
class Node:
    """A place. ``name`` is unique; ``section`` is where it is reported; lines count from 1."""

    name: str
    section: str
    what: str
    file: str
    line: int
    end: int


@dataclass(frozen=True, order=True)
class Edge:
    """``dependent`` rests on ``dependee``: "because {dependent} {why} {dependee}"."""

    dependent: str
    dependee: str
    why: str
    last: bool = False


@dataclass(frozen=True)
class Hit:
    """A place that a walk reached: how far, from where, and why."""

    node: Node
    depth: int
    via: str
    why: str


class Graph:
    """Nodes by name, edges by dependee."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.nodes: dict[str, Node] = {}
        self._dependents: defaultdict[str, set[Edge]] = defaultdict(set)
        self._dependees: defaultdict[str, set[Edge]] = defaultdict(set)

    def add(self, node: Node) -> None:
        """Add a place; the first of a name stays."""
        self.nodes.setdefault(node.name, node)

    def link(self, dependent: str, dependee: str, why: str, last: bool = False) -> None:
        """Add an edge between two places; one that names an unknown place is dropped."""
        if dependent != dependee and dependent in self.nodes and dependee in self.nodes:
            edge = Edge(dependent, dependee, why, last)
            self._dependents[dependee].add(edge)
            self._dependees[dependent].add(edge)

    def edges(self) -> Iterator[Edge]:
        """Yield every edge."""
        for found in self._dependents.values():
            yield from found

    def on(self, name: str) -> list[Edge]:
        """Return the edges of what rests on a place, sorted."""
        return sorted(self._dependents[name])

    def under(self, name: str) -> list[Edge]:
        """Return the edges of what a place rests on, sorted."""
        return sorted(self._dependees[name])

    def walk(self, roots: Iterable[str], stop: str = "") -> dict[str, Hit]:
        """Return everything that rests on the roots, with the nearest reason for each.

        What begins with ``stop`` is reached and not walked through, where it is no root.
        """
        hits: dict[str, Hit] = {}
        spent: set[str] = set()
        queue: deque[tuple[str, int]] = deque()
        for name in sorted(set(roots)):
            hits[name] = Hit(self.nodes[name], 0, "", "asked for")
            queue.append((name, 0))
        while queue:
            name, depth = queue.popleft()
            if name in spent:
                continue
            spent.add(name)
            if stop and depth and name.startswith(stop):
                continue
            for edge in self.on(name):
                known = hits.get(edge.dependent)
                if known is None:
                    node = self.nodes[edge.dependent]
                    hits[edge.dependent] = Hit(node, depth + 1, name, edge.why)
                # Reached by a last edge first, a place may still be walked through by another.
                if not edge.last and edge.dependent not in spent:
                    queue.append((edge.dependent, depth + 1))
        return hits
