"""Fixtures that a test file computes once: computed and traced once here as well.

Rules of this file:

*   A test that is observed begins without what others have computed, or lines that it stands on
    would be missing. Computing that anew costs more than the tests do: 9 s of processor time for
    each of 140 in tests/kernel/test_contracts_are_exact.py.
*   So a cached function without parameters that a test has asked for is run once in the server,
    from nothing, and observed. The tests after it find its value there, and what it reached and
    what it cost count as theirs, each time they ask for it.
*   What a mutant meets begins without any of it (``code_server.py``).

Not here: what a line or a function is (``code_reach.py``).
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.mutation.code_reach import Reach


@dataclass(frozen=True)
class Remembered:
    """What one cached function reached when it was run, and how much processor time it took."""

    lines: dict[str, set[int]]
    random: bool
    cpu: float


class Memories:
    """The caches of a server's tests; some of them filled, the others empty."""

    def __init__(self, caches: list[Any], tree: Path, cpu_s: Callable[[], float]) -> None:
        self.caches = caches
        self._tree = tree
        self._cpu_s = cpu_s
        self._filled: dict[int, Remembered] = {}

    def clear(self, *, all_of_them: bool) -> None:
        """Empty the caches, or those alone that were not filled here."""
        for number, memory in enumerate(self.caches):
            if all_of_them or number not in self._filled:
                memory.cache_clear()

    def asked(self) -> Callable[[], tuple[list[int], list[int]]]:
        """Return what tells, later, which filled caches were asked and which others computed."""
        before = [memory.cache_info() for memory in self.caches]

        def since() -> tuple[list[int], list[int]]:
            after = [memory.cache_info() for memory in self.caches]
            pairs = list(enumerate(zip(before, after, strict=True)))
            hits = [n for n, (old, new) in pairs if n in self._filled and new.hits > old.hits]
            return hits, [n for n, (old, new) in pairs if new.misses > old.misses]

        return since

    def of(self, numbers: Iterable[int]) -> list[Remembered]:
        """Return what filling these has reached."""
        return [self._filled[number] for number in numbers]

    def fill(self, numbers: Iterable[int]) -> None:
        """Run those that can be filled, each from nothing but what is filled."""
        for number in numbers:
            memory = self.caches[number]
            if number in self._filled or not self._is_of_tests(memory):
                continue
            self.clear(all_of_them=False)
            asked = self.asked()
            reach, begun = Reach(self._tree), self._cpu_s()
            reach.begin()
            try:
                memory()
            except Exception:  # noqa: BLE001  (what its tests say of it, they say themselves)
                memory.cache_clear()
                continue
            finally:
                reach.end()
            own = Remembered(reach.lines, reach.random, self._cpu_s() - begun)
            self._filled[number] = together(own, self.of(asked()[0]))

    def _is_of_tests(self, memory: Any) -> bool:
        function = memory.__wrapped__
        file = function.__code__.co_filename if inspect.isfunction(function) else ""
        return (
            file.startswith(f"{self._tree}/tests/") and not inspect.signature(function).parameters
        )


def together(own: Remembered, others: Iterable[Remembered]) -> Remembered:
    """Return what was reached oneself and what was reached for it."""
    lines = {path: set(found) for path, found in own.lines.items()}
    random, cpu = own.random, own.cpu
    for other in others:
        for path, found in other.lines.items():
            lines.setdefault(path, set()).update(found)
        random, cpu = random or other.random, cpu + other.cpu
    return Remembered(lines, random, cpu)
