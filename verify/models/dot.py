"""TLC's state graph (``-dump dot,actionlabels``), read.

Rules of this file:

*   A node is a state, a labelled edge an action's name. Every line is a node, an edge, or known
    decoration; any other line is an error, so that nothing of a graph is skipped silently.
*   TLC writes self-loops too, so refusals are edges. Edges to states outside a CONSTRAINT are not
    written: graphs that are replayed have none.

Not here: what an edge means for the kernel (``edges.py``).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from verify.models.values import parse_state

_EDGE = re.compile(r'^(-?\d+) -> (-?\d+) \[label="(\w*)"')
_NODE = re.compile(r'^(-?\d+) \[label="((?:[^"\\]|\\.)*)"(,style = filled)?\]')
_DECORATION = re.compile(
    r"^(strict digraph|nodesep|subgraph|label|color|node \[|edge \[|graph \[|{|}|\"?legend|rank|\w+ \[label=\"\w+\",fillcolor|style|fontsize|$)"  # noqa: E501 - one pattern
)


class DotError(ValueError):
    """A graph that cannot be read whole."""


@dataclass(frozen=True)
class Graph:
    """States by node number, edges (source, target, action), and the initial nodes."""

    states: dict[int, dict[str, object]]
    edges: tuple[tuple[int, int, str], ...]
    initial: frozenset[int]


def _unescape(label: str) -> str:
    return label.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def read_dot(path: Path) -> Graph:
    """Return the graph in ``path``. Raises ``DotError`` naming the line it could not read."""
    texts: dict[int, str] = {}
    edges: list[tuple[int, int, str]] = []
    initial: set[int] = set()
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            match = _EDGE.match(line)
            if match:
                edges.append((int(match.group(1)), int(match.group(2)), match.group(3)))
                continue
            match = _NODE.match(line)
            if match:
                node = int(match.group(1))
                texts.setdefault(node, match.group(2))
                if match.group(3):
                    initial.add(node)
                continue
            if not _DECORATION.match(line):
                raise DotError(f"{path}:{number}: neither node nor edge: {line[:80]!r}")
    states = {node: parse_state(_unescape(text)) for node, text in texts.items()}
    for source, target, action in edges:
        if source not in states or target not in states:
            raise DotError(f"{path}: edge {action} {source} -> {target} names a node without state")
    return Graph(states=states, edges=tuple(edges), initial=frozenset(initial))
