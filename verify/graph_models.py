"""Models and Rocq proofs as a graph: operators, configurations, lemmas.

Theory. A TLA+ operator rests on every operator that its body names: of its own module, of those it
EXTENDS, and through ``INSTANCE`` of another (``KS!Settle``). A configuration rests on its
specification and on every invariant and property it checks. Comments count for nothing.

Rules of this file:

*   A module's declarations and assumptions are its place ``Module!``; a module also holds its
    operators, so what is run over the module is run again when one of them changes.
*   Only what stands at the start of a line is a definition: LET is its operator's own.
*   A Rocq definition that has the name of a function of a Python file which the same ``.v`` file
    names, in brackets, mirrors that function.

Not here: which operator answers to which function (``impact.py``).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from verify.graph import MODEL, PROOF, SPEC, Graph, Node
from verify.models.manifest import Row, load_manifest, read_cfg

FOLDER = "spec/tla"
ROCQ = "spec/rocq"
DEFINITION = re.compile(r"^(?:LOCAL\s+)?([A-Za-z_]\w*)\s*(?:\([^=]*\))?\s*==(?!=)")
INSTANCE = re.compile(r"^([A-Za-z_]\w*)\s*==\s*INSTANCE\s+(\w+)", re.MULTILINE)
EXTENDS = re.compile(r"^EXTENDS\s+([^\n]*(?:,\s*\n[^\n]*)*)", re.MULTILINE)
RULE = re.compile(r"^(-{4,}|={4,})")
USED = re.compile(r"(?:([A-Za-z_]\w*)!)?([A-Za-z_]\w*)")
PROVED = re.compile(
    r"^\s*(?:Theorem|Lemma|Corollary|Definition|Fixpoint|Inductive|Record)\s+([\w']+)"
)
MIRRORED = re.compile(r"\[([a-z]+(?:/\w+)*\.py)\]")


@dataclass
class Text:
    """A module's text: definitions by name with their lines and bodies, and what it builds on."""

    name: str
    file: str
    bodies: dict[str, str]
    lines: dict[str, tuple[int, int]]
    rest: str
    extends: tuple[str, ...]
    instances: dict[str, str]
    last: int


def without_comments(text: str) -> str:
    """Return TLA+ or Rocq with comments blanked out, every line where it was."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))

    inner = re.compile(r"\(\*(?:(?!\(\*|\*\)).)*\*\)", re.DOTALL)
    while (shorter := inner.sub(blank, text)) != text:
        text = shorter
    return re.sub(r"\\\*[^\n]*", blank, text)


def read_module(file: str, text: str) -> Text:
    """Take a TLA+ module apart."""
    plain = without_comments(text)
    rows = plain.splitlines()
    starts = [(n, m.group(1)) for n, row in enumerate(rows, 1) if (m := DEFINITION.match(row))]
    stops = sorted([n for n, _ in starts] + [n for n, row in enumerate(rows, 1) if RULE.match(row)])
    bodies, lines = {}, {}
    rest = list(rows)
    for first, name in starts:
        last = next((stop for stop in stops if stop > first), len(rows) + 1) - 1
        while last > first and not rows[last - 1].strip():
            last -= 1
        bodies[name] = "\n".join(rows[first - 1 : last])
        lines[name] = (first, last)
        rest[first - 1 : last] = [""] * (last - first + 1)
    extends = EXTENDS.search(plain)
    return Text(
        name=file.rpartition("/")[2].removesuffix(".tla"), file=file, bodies=bodies, lines=lines,
        rest="\n".join(rest), instances=dict(INSTANCE.findall(plain)),
        extends=tuple(re.findall(r"\w+", extends.group(1))) if extends else (), last=len(rows),
    )  # fmt: skip


def read_modules(root: Path) -> dict[str, Text]:
    """Read every module of the models' folder."""
    found = {}
    for path in sorted((root / FOLDER).glob("*.tla")):
        one = read_module(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        found[one.name] = one
    return found


class Scope:
    """What a name means in a module."""

    def __init__(self, found: dict[str, Text]) -> None:
        """Resolve in these modules."""
        self._modules = found

    def closure(self, name: str) -> set[str]:
        """Return the module and all it builds on, by EXTENDS or INSTANCE."""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            one = self._modules.get(waiting.pop())
            if one is not None and one.name not in seen:
                seen.add(one.name)
                waiting += [*one.extends, *one.instances.values()]
        return seen

    def place(self, module: str, name: str) -> str | None:
        """Return the place of an operator as the module sees it, None where it sees none."""
        one = self._modules.get(module)
        if one is None:
            return None
        if name in one.bodies:
            return f"{module}!{name}"
        found = (self.place(above, name) for above in one.extends)
        return next((place for place in found if place is not None), None)

    def instance(self, module: str, name: str) -> str | None:
        """Return the module that an instance's name stands for."""
        one = self._modules.get(module)
        if one is None:
            return None
        if name in one.instances:
            return one.instances[name]
        found = (self.instance(above, name) for above in one.extends)
        return next((target for target in found if target is not None), None)

    def used(self, module: str, body: str) -> set[str]:
        """Return the places that a body names."""
        found = set()
        for instance, name in USED.findall(body):
            owner = self.instance(module, instance) if instance else module
            place = self.place(owner, name) if owner else None
            if place is not None:
                found.add(place)
        return found


def _operators(graph: Graph, found: dict[str, Text], scope: Scope) -> None:
    for module in found.values():
        graph.add(Node(f"{module.name}!", SPEC, "module", module.file, 1, module.last))
        for name, (first, last) in module.lines.items():
            graph.add(Node(f"{module.name}!{name}", SPEC, "operator", module.file, first, last))
    for module in found.values():
        whole = f"{module.name}!"
        for name, body in module.bodies.items():
            place = f"{module.name}!{name}"
            for target in scope.used(module.name, body.partition("==")[2]):
                graph.link(place, target, "uses")
            graph.link(whole, place, "holds the operator", last=False)
        for above in scope.closure(module.name) - {module.name}:
            graph.link(whole, f"{above}!", "builds on")


def _rows(graph: Graph, root: Path, found: dict[str, Text], scope: Scope) -> dict[str, Row]:
    rows = {f"{row.name}.cfg": row for row in load_manifest(root / FOLDER)}
    for place, row in rows.items():
        path = root / FOLDER / row.cfg
        text = path.read_text(encoding="utf-8")
        what = "control" if row.control else "model"
        file = path.relative_to(root).as_posix()
        graph.add(Node(place, MODEL, what, file, 1, text.count("\n") + 1))
        read = read_cfg(text)
        checked = {*read.invariants, *read.properties}
        used = set(re.findall(r"[A-Za-z_]\w*", " ".join([*read.other.values()])))
        used |= {word for value in read.constants.values() for word in re.findall(r"\w+", value)}
        for name in sorted(checked):
            target = scope.place(row.module, name)
            if target is not None:
                graph.link(place, target, "must fail" if name == row.expected else "checks")
        for name in sorted(used - checked):
            target = scope.place(row.module, name)
            if target is not None:
                graph.link(place, target, "runs")
        graph.link(place, f"{row.module}!", "is over the module")
    return rows


def read_rocq(file: str, text: str) -> Text:
    """Take a Rocq file apart: definitions and lemmas; a proof belongs to its lemma."""
    plain = without_comments(text)
    rows = plain.splitlines()
    starts = [(n, m.group(1)) for n, row in enumerate(rows, 1) if (m := PROVED.match(row))]
    bodies, lines = {}, {}
    for place, (first, name) in enumerate(starts):
        last = (starts[place + 1][0] if place + 1 < len(starts) else len(rows) + 1) - 1
        bodies[name] = "\n".join(rows[first - 1 : last])
        lines[name] = (first, last)
    requires = re.findall(r"Require\s+(?:Import|Export)\s+([^.]*)\.", plain)
    stem = file.rpartition("/")[2]
    return Text(
        name=stem, file=file, bodies=bodies, lines=lines, rest="", instances={},
        extends=tuple(f"{one}.v" for found in requires for one in found.split()), last=len(rows),
    )  # fmt: skip


def _proofs(graph: Graph, root: Path) -> None:
    found = {}
    for path in sorted((root / ROCQ).glob("*.v")):
        text = path.read_text(encoding="utf-8")
        one = read_rocq(path.relative_to(root).as_posix(), text)
        found[one.name] = (one, text)
    scope = Scope({name: one for name, (one, _) in found.items()})
    for one, _ in found.values():
        for name, (first, last) in one.lines.items():
            graph.add(Node(f"{one.name}!{name}", PROOF, "Rocq", one.file, first, last))
    for one, text in found.values():
        modules = [file.removesuffix(".py").replace("/", ".") for file in MIRRORED.findall(text)]
        for name, body in one.bodies.items():
            place = f"{one.name}!{name}"
            for word in sorted(set(re.findall(r"[A-Za-z_][\w']*", body)) - {name}):
                target = scope.place(one.name, word)
                if target is not None:
                    graph.link(place, target, "uses")
            for module in modules:
                graph.link(place, f"{module}.{name}", "mirrors")


@dataclass(frozen=True)
class Models:
    """What of the models the commands need: rows by place, modules by row."""

    rows: dict[str, Row]
    modules: dict[str, Text]
    scope: Scope


def add_models(graph: Graph, root: Path) -> Models:
    """Add operators, configurations and lemmas. Raises ``ManifestError``."""
    found = read_modules(root)
    scope = Scope(found)
    _operators(graph, found, scope)
    rows = _rows(graph, root, found, scope)
    _proofs(graph, root)
    return Models(rows, found, scope)
