r"""Mutants of the models: which definitions are changed, and how.

Theory. A mutant differs from the module in one place. What says how the kernel behaves is mutated;
what says what must hold is not, since a changed promise is another question, not a wrong answer.

*   In: every definition of the ten modules that a behaviour reaches, through the names its body
    uses, from a good configuration's SPECIFICATION, constraints and substituted constants, or from
    TraceKernel's Init and Next.
*   Out: a name that some configuration checks (INVARIANT, PROPERTY), and what only such names
    reach; the harness (``MC*``, ``TraceKernel``). What no configuration reaches is listed.

Operators:

    drop-conjunct, drop-disjunct   one item of a bulleted list or of a chain of /\ or \/
    drop-unchanged                 one entry of UNCHANGED << >>
    drop-arm                       one guarded arm of a CASE
    plus-one, minus-one            an integer
    compare                        = and #, < and <=, > and >=, \in and \notin; an assignment
                                   (x' = e, and x = e of an Init) is no comparison
    negate                         a conjunct that reads no next state
    connective                     /\ and \/ of a formula about one state
    swap-branches                  THEN and ELSE (where the condition is one equality: compare)
    drop-guard                     an IF becomes its ELSE: a guard of a verdict chain is gone
    always                         an IF becomes its THEN (not in a verdict chain)

Rules of this file:

*   A mutant's id is ``Module:Definition+line:column:operator``, the line counted from the
    definition's: an edit elsewhere in the module leaves it alone.
*   An edit keeps the column of every token that it does not remove, by blanks and line breaks: the
    columns of a bulleted list are its syntax.

Not here: reading modules (``tla.py``), judging mutants (``spec_killers.py``).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from verify.models.edits import blank, in_place
from verify.models.manifest import Row, read_cfg
from verify.models.tla import (
    Definition,
    Module,
    Node,
    Token,
    definition_text,
    names_in,
    read_modules,
    resolve,
)

MUTATED = (
    "Fixed", "Money", "KillSwitch", "Survival", "Posture", "Gate", "Ledger", "Kernel", "Chain",
    "Release",
)  # fmt: skip
TRACE_ROOTS = ("TraceKernel", ("TraceInit", "TraceNext"))
SWAPPED = {
    "=": "#", "#": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "\\in": "\\notin",
    "\\notin": "\\in", "/\\": "\\/", "\\/": "/\\",
}  # fmt: skip
NEGATED_BY_COMPARE = {"=", "#", "\\in", "\\notin"}
CONNECTIVES = ("/\\", "\\/")


@dataclass(frozen=True)
class Mutant:
    """One change of one module: the text between two offsets replaced."""

    module: str
    definition: str
    operator: str
    line: int
    column: int
    offset_line: int
    start: int
    end: int
    replacement: str
    was: str
    now: str

    @property
    def id(self) -> str:
        """The mutant's name."""
        where = f"{self.definition}+{self.offset_line}"
        return f"{self.module}:{where}:{self.column}:{self.operator}"

    @property
    def place(self) -> str:
        """File and line, for a reader."""
        return f"spec/tla/{self.module}.tla:{self.line}"

    def text(self, original: str) -> str:
        """Return the module's text with the change made."""
        return original[: self.start] + self.replacement + original[self.end :]


@dataclass(frozen=True)
class Scope:
    """What is mutated and what is not, by module and definition."""

    modules: Mapping[str, Module]
    behaviour: frozenset[tuple[str, str]]
    checked: frozenset[str]
    statements: frozenset[tuple[str, str]]
    unreached: frozenset[tuple[str, str]] = field(default_factory=frozenset)


# --- scope ---------------------------------------------------------------------------------------


def closure(
    modules: Mapping[str, Module], roots: Sequence[tuple[str, str]], checked: frozenset[str]
) -> frozenset[tuple[str, str]]:
    """Return the definitions that the roots reach without passing through a checked name."""
    found: set[tuple[str, str]] = set()
    waiting = [place for root in roots if (place := resolve(modules, *root)) is not None]
    while waiting:
        place = waiting.pop()
        if place in found or place[1] in checked:
            continue
        found.add(place)
        module, name = place
        for used in names_in(modules[module].definitions[name]):
            target = resolve(modules, module, used)
            if target is not None:
                waiting.append(target)
    return frozenset(found)


def scope_of(folder: Path, rows: Sequence[Row]) -> Scope:
    """Return what is mutated, from the good configurations of a manifest."""
    good = [row for row in rows if not row.control]
    modules = read_modules(folder, [row.module for row in good] + [TRACE_ROOTS[0], *MUTATED])
    roots = [(TRACE_ROOTS[0], name) for name in TRACE_ROOTS[1]]
    checked: set[str] = set()
    promises: list[tuple[str, str]] = []
    for row in good:
        cfg = read_cfg((folder / row.cfg).read_text(encoding="utf-8"))
        checked |= {*cfg.invariants, *cfg.properties}
        promises += [(row.module, name) for name in (*cfg.invariants, *cfg.properties)]
        words = " ".join((*cfg.other.values(), *cfg.constants.values()))
        roots += [(row.module, name) for name in re.findall(r"[A-Za-z_]\w*", words)]
        if row.mode == "assumptions":
            roots += [(row.module, name) for name in modules[row.module].definitions]
    behaviour = closure(modules, roots, frozenset(checked))
    stated: set[tuple[str, str]] = {
        place for promise in promises if (place := resolve(modules, *promise)) is not None
    }
    for module, name in tuple(stated):
        used = [(module, each) for each in names_in(modules[module].definitions[name])]
        stated |= closure(modules, used, frozenset())
    every = {(name, each) for name in MUTATED for each in modules[name].definitions}
    stated |= {place for place in every if place[1] in checked}
    statements = frozenset((stated - behaviour) & every)
    return Scope(
        modules=modules,
        behaviour=frozenset(place for place in behaviour if place[0] in MUTATED),
        checked=frozenset(checked),
        statements=statements,
        unreached=frozenset(every - behaviour - statements),
    )


def definition_sha256(module: Module, name: str) -> str:
    """Return the hash that a justification binds: of the definition's text, blanks folded."""
    return hashlib.sha256(" ".join(definition_text(module, name).split()).encode()).hexdigest()


# --- mutants of one definition -------------------------------------------------------------------


@dataclass
class _Maker:
    """Collects the mutants of one definition."""

    module: Module
    definition: Definition
    actions: frozenset[str]
    found: list[Mutant] = field(default_factory=list)

    # --- making ---

    def text(self, node: Node) -> str:
        return self.module.text[node.start : node.end]

    def add(self, operator: str, at: int, start: int, end: int, new: str) -> None:
        line, column = self.module.place(at)
        replacement = in_place(self.module.text, start, end, new)
        was = " ".join(self.module.text[start:end].split())
        self.found.append(
            Mutant(
                self.module.name, self.definition.name, operator, line, column,
                line - self.definition.line, start, end, replacement, was, " ".join(new.split()),
            )
        )  # fmt: skip

    def take_branch(self, operator: str, node: Node, branch: Node) -> None:
        """The whole expression becomes one of its parts, which keeps its column."""
        _, column = self.module.place(branch.start)
        text = self.text(branch)
        if "\n" in text:
            text = "\n" + " " * (column - 1) + text
        self.add(operator, node.start, node.start, node.end, f"({text})" if text else text)

    def _reads_next(self, node: Node) -> bool:
        return _about_next(node, self.actions)

    def visit(self, node: Node, *, action: bool) -> None:
        """Add the mutants of a node and of what is below it."""
        below = getattr(self, f"_{node.kind}", None)
        if below is not None:
            below(node, action)
        else:
            for part in node.parts:
                self.visit(part, action=action)

    def _number(self, node: Node, _: bool) -> None:
        value = int(node.name)
        for operator, other in (("plus-one", value + 1), ("minus-one", value - 1)):
            new = str(other) if other >= 0 else f"({other})"
            self.add(operator, node.start, node.start, node.end, new)

    def _negate(self, node: Node) -> None:
        if node.kind == "infix" and node.name in NEGATED_BY_COMPARE:
            return  # compare does the same
        if node.kind == "prefix" and node.name == "~":
            inner = node.parts[0]
            new = blank(self.module.text[node.start : inner.start])
            self.add("negate", node.start, node.start, inner.start, new)
            return
        _, column = self.module.place(node.start)
        new = "~(\n" + " " * (column - 1) + self.text(node) + ")"
        self.add("negate", node.start, node.start, node.end, new)

    def _prefix(self, node: Node, action: bool) -> None:
        (inner,) = node.parts
        if node.name == "UNCHANGED":
            if inner.kind == "tuple" and len(inner.parts) > 1:
                self._entries(inner)
            return
        self.visit(inner, action=action)

    def _entries(self, node: Node) -> None:
        parts = node.parts
        for place, part in enumerate(parts):
            start = part.start if place == 0 else parts[place - 1].end
            end = parts[1].start if place == 0 else part.end
            new = blank(self.module.text[start:end])
            self.add("drop-unchanged", part.start, start, end, new)

    def _infix(self, node: Node, action: bool) -> None:
        if node.name in CONNECTIVES:
            self._chain(node, action)
            return
        (token,) = node.tokens
        left, right = node.parts
        assigns = node.name == "=" and (left.kind == "prime" or self.definition.name == "Init")
        if node.name in SWAPPED and not assigns:
            self.add("compare", token.start, token.start, token.end, SWAPPED[node.name])
        self.visit(left, action=action)
        self.visit(right, action=action)

    def _list(self, node: Node, action: bool) -> None:
        self._items(node.name, list(node.parts), list(node.tokens), action, listed=True)

    def _chain(self, node: Node, action: bool) -> None:
        items: list[Node] = []
        tokens: list[Token] = []

        def flatten(one: Node) -> None:
            if one.kind == "infix" and one.name == node.name:
                flatten(one.parts[0])
                tokens.append(one.tokens[0])
                items.append(one.parts[1])
            else:
                items.append(one)

        flatten(node)
        self._items(node.name, items, tokens, action, listed=False)

    def _items(
        self, name: str, items: list[Node], tokens: list[Token], action: bool, *, listed: bool
    ) -> None:
        operator = "drop-conjunct" if name == "/\\" else "drop-disjunct"
        about_now = not any(self._reads_next(item) for item in items)
        for place, item in enumerate(items):
            if len(items) > 1:
                if listed:
                    start, end = tokens[place].start, item.end
                elif place == 0:
                    start, end = item.start, tokens[0].end
                else:
                    start, end = tokens[place - 1].start, item.end
                new = blank(self.module.text[start:end])
                at = tokens[place].start if listed else start
                self.add(operator, at, start, end, new)
            if name == "/\\" and action and not self._reads_next(item):
                self._negate(item)
            self.visit(item, action=action and self._reads_next(item))
        if about_now and len(items) > 1 and self.definition.name != "Init":
            start, end = tokens[0].start, tokens[-1].end
            whole = self.module.text
            pieces, at = [], start
            for token in tokens:
                pieces += [whole[at : token.start], SWAPPED[name]]
                at = token.end
            self.add("connective", start, start, end, "".join(pieces))

    def _if(self, node: Node, action: bool) -> None:
        condition, then, other = node.parts
        chain = _verdict_chain(node)
        one_equality = condition.kind == "infix" and condition.name in NEGATED_BY_COMPARE
        if not one_equality:
            self._branches(node)
        self.take_branch("drop-guard", node, other)
        if not chain:
            self.take_branch("always", node, then)
        self.visit(condition, action=False)
        self.visit(then, action=action)
        self.visit(other, action=action)

    def _branches(self, node: Node) -> None:
        condition = node.parts[0]
        _, column = self.module.place(condition.start)
        new = "~(\n" + " " * (column - 1) + self.text(condition) + ")"
        self.add("swap-branches", node.start, condition.start, condition.end, new)

    def _case(self, node: Node, action: bool) -> None:
        for arm in node.parts:
            if len(arm.parts) == 2:
                guard = arm.parts[0]
                self.add("drop-arm", guard.start, guard.start, guard.end, "FALSE")
        for arm in node.parts:
            for part in arm.parts:
                self.visit(part, action=action)


def _about_next(node: Node, actions: Set[str]) -> bool:
    return any(
        each.kind == "prime"
        or (each.kind == "prefix" and each.name == "UNCHANGED")
        or (each.kind in ("call", "name") and each.name.rpartition("!")[2] in actions)
        for each in node.walk()
    )


def actions_of(modules: Iterable[Module]) -> frozenset[str]:
    """Return the names of definitions that read or assign a next state, through what they use."""
    listed = [each for module in modules for each in module.definitions.values()]
    found: set[str] = set()
    while True:
        more = {
            each.name for each in listed if each.name not in found and _about_next(each.body, found)
        }
        if not more:
            return frozenset(found)
        found |= more


def _verdict_chain(node: Node) -> bool:
    then = node.parts[1]
    return then.kind == "string"


def mutants_of(scope: Scope) -> list[Mutant]:
    """Return every mutant, in the order of the modules and of their texts."""
    actions = actions_of(scope.modules[name] for name in MUTATED)
    found: list[Mutant] = []
    for name in MUTATED:
        module = scope.modules[name]
        for definition in module.definitions.values():
            if (name, definition.name) in scope.behaviour:
                found += mutants_of_definition(module, definition, actions)
    return found


def mutants_of_definition(
    module: Module, definition: Definition, actions: frozenset[str]
) -> Iterator[Mutant]:
    """Yield the mutants of one definition, each id once."""
    maker = _Maker(module, definition, actions)
    maker.visit(definition.body, action=definition.name in actions)
    seen: set[str] = set()
    texts: set[str] = set()
    for mutant in maker.found:
        text = mutant.text(module.text)
        if text in texts or " ".join(text.split()) == " ".join(module.text.split()):
            continue
        texts.add(text)
        if mutant.id in seen:
            raise ValueError(f"two mutants are called {mutant.id}")
        seen.add(mutant.id)
        yield mutant
