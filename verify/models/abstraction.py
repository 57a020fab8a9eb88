"""Abstract edges, by which the audit measures coverage of the state graph.

Theory. The replayed graphs have tens of thousands of edges, in states that no session repeats to
the ppm. What a session can be measured by is coarser: in which situation which event got which
answer. The situation of a state is its projection, defined in ``traces/audit/coverage.py``. Covered
are the abstract edges that some journal shows, of those that the models' graphs have.

Rules of this file:

*   ``spec/tla/graph.json`` holds the projection's names and the edges, sorted, one a line, of both
    profiles together. It is drawn up with the corpus of edges (``edges.py``) and drifts with it.
*   The projection is made of the model's variables, not of the kernel's answer.

Not here: how a journal is projected (``traces/audit/coverage.py``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from traces.audit.coverage import PROJECTION, Edge


def abstract_edge(
    posture: int, killed: bool, fence_confirmed: bool, quantities: Iterable[int],
    permit_kinds: Iterable[int], event: str, verdict: str,
) -> Edge:  # fmt: skip
    """Return the abstract edge of an event that met a state and got a verdict."""
    kinds = tuple(sorted({int(kind) for kind in permit_kinds} - {0}))
    holding = any(quantity != 0 for quantity in quantities)
    return (int(posture), bool(killed), bool(fence_confirmed), holding, kinds, event, verdict)


def abstract_edge_of(before: Mapping[str, object], event: str, verdict: str) -> Edge:
    """Return the abstract edge of an edge out of a state given as variables (``encoding.py``)."""
    return abstract_edge(
        cast(int, before["posture"]),
        cast(bool, before["killed"]),
        cast(bool, before["fence_confirmed"]),
        cast(Sequence[int], before["quantity"]),
        cast(Sequence[int], before["permit_kind"]),
        event,
        verdict,
    )


def graph_text(edges: Iterable[Edge]) -> str:
    """Return the text of ``graph.json``."""
    lines = ",\n".join(json.dumps(edge) for edge in sorted(set(edges)))
    return f'{{"projection": {json.dumps(PROJECTION)}, "edges": [\n{lines}\n]}}\n'
