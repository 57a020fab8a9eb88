"""Reachability over dependencies: names, files, definitions.

Not here: what hangs on a thing (whoever walks knows it), walks that keep how far and why
(``graph.py``).
"""

from collections.abc import Callable, Hashable, Iterable


def reachable[T: Hashable](start: T, onward: Callable[[T], Iterable[T]]) -> set[T]:
    """Return ``start`` and all that it reaches; ``onward`` is asked of each once."""
    seen: set[T] = set()
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting.extend(onward(one))
    return seen
