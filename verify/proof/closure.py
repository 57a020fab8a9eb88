"""The inputs of a proof: all definitions that a function reaches by name.

Rules of this file:

*   A function reaches every name in its body, its contracts and its annotations, and what those
    reach, through imports. The key of a proof is the hash of all these texts, so a change of one
    function asks again for the proofs that stand on it, and for no other.
*   A name that is found nowhere in the kernel is the prover's or Python's own; the lock of the
    prover's environment is part of every key.

Not here: the proofs themselves (``run.py``).
"""

import ast
from functools import cache

from verify.proof.generate import PACKAGE
from verify.walk import reachable

Place = tuple[str, str]  # module, name


class Texts:
    """The proof files of the kernel, by definition. ``texts``: source by module name."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.definitions: dict[Place, ast.stmt] = {}
        self.imported: dict[str, dict[str, Place]] = {}
        for module, text in texts.items():
            names: dict[str, Place] = {}
            for node in ast.parse(text).body:
                for name in _defined(node):
                    self.definitions[module, name] = node
                if isinstance(node, ast.ImportFrom) and node.module is not None:
                    package, _, source = node.module.partition(".")
                    if package == PACKAGE:
                        names |= {one.asname or one.name: (source, one.name) for one in node.names}
            self.imported[module] = names
        self.said = cache(self._said)
        self.next = cache(self._next)

    def _said(self, place: Place) -> str:
        return ast.unparse(self.definitions[place])

    def _next(self, place: Place) -> frozenset[Place]:
        module = place[0]
        found = set()
        for node in ast.walk(self.definitions[place]):
            if isinstance(node, ast.Name):
                for one in ((module, node.id), self.imported[module].get(node.id)):
                    if one is not None and one in self.definitions:
                        found.add(one)
        return frozenset(found)

    def reached(self, place: Place) -> list[Place]:
        """Return the definition and all that it reaches, sorted."""
        return sorted(reachable(place, self.next))

    def closure(self, place: Place) -> list[tuple[str, str, str]]:
        """Return the texts of all that the definition reaches, with module and name."""
        return [(*one, self.said(one)) for one in self.reached(place)]


def _defined(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        return [each.id for each in node.targets if isinstance(each, ast.Name)]
    return []
