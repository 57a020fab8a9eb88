"""Dependencies within models and Rocq proofs: operators, configurations, lemmas.

Theory. A TLA+ operator rests on every operator that its body names: of its own module, of those it
EXTENDS, and through ``INSTANCE`` of another (``KS!Settle``). A configuration rests on its
specification and on every invariant and property it checks. Comments count for nothing.

Rules of this file:

*   A module's declarations and assumptions are its place ``Module!``; a module also holds its
    operators, so what is run over the module is run again when one of them changes.
*   TLA+ is read by ``models/tla.py``: what a LET or a bound variable names is its operator's.
*   A negative control rests on what its good model rests on, checks one promise, and breaks the
    definitions that it edits.
*   A Rocq definition that has the name of a function of a Python file which the same ``.v`` file
    names, in brackets, mirrors that function.

Not here: which operator answers to which function (``impact.py``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verify.graph import MODEL, PROOF, SPEC, Graph, Node
from verify.models import tla
from verify.models.controls import TABLE, load_controls
from verify.models.edits import blank
from verify.models.manifest import Row, load_manifest, read_cfg

FOLDER = "spec/tla"
Modules = Mapping[str, tla.Module]
ROCQ = "spec/rocq"
PROVED = re.compile(
    r"^\s*(?:Theorem|Lemma|Corollary|Definition|Fixpoint|Inductive|Record)\s+([\w']+)"
)
MIRRORED = re.compile(r"\[([a-z]+(?:/\w+)*\.py)\]")


@dataclass
class Text:
    """A file's text: definitions by name with their lines, bodies and the names these use."""

    name: str
    file: str
    bodies: dict[str, str]
    lines: dict[str, tuple[int, int]]
    uses: dict[str, set[str]]
    rest: str
    extends: tuple[str, ...]
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
    """Take a TLA+ module apart. Raises ``TlaError``."""
    module = tla.read_module(file.rpartition("/")[2].removesuffix(".tla"), text)
    bodies, lines, uses = {}, {}, {}
    rest = without_comments(text)
    for one in module.definitions.values():
        body = tla.definition_text(module, one.name)
        bodies[one.name] = " ".join(token.text for token in tla.tokens_of(body, module.name))
        lines[one.name] = (one.line, module.place(one.body.end)[0])
        uses[one.name] = tla.names_in(one)
        rest = rest[: one.start] + blank(text[one.start : one.body.end]) + rest[one.body.end :]
    return Text(module.name, file, bodies, lines, uses, rest, module.extends, text.count("\n") + 1)


def _operators(graph: Graph, folder: Path, modules: Modules) -> None:
    for name in modules:
        file = f"{FOLDER}/{name}.tla"
        one = read_module(file, (folder / f"{name}.tla").read_text(encoding="utf-8"))
        graph.add(Node(f"{name}!", SPEC, "module", file, 1, one.last))
        for operator, (first, last) in one.lines.items():
            graph.add(Node(f"{name}!{operator}", SPEC, "operator", file, first, last))
    for name, module in modules.items():
        for definition in module.definitions.values():
            place = f"{name}!{definition.name}"
            for used in tla.names_in(definition):
                _link(graph, place, tla.resolve(modules, name, used), "uses")
            graph.link(f"{name}!", place, "holds the operator", last=False)
        for above in set(tla.closure_of(folder, name)) - {name}:
            graph.link(f"{name}!", f"{above}!", "builds on")


def _link(graph: Graph, place: str, target: tuple[str, str] | None, why: str) -> None:
    if target is not None:
        graph.link(place, "!".join(target), why)


def place_of(row: Row) -> str:
    """Return the name of a row's place: a model's is its configuration."""
    return row.name if row.control else row.cfg


def control_lines(text: str) -> dict[str, int]:
    """Return the line of each control in the text of the table."""
    rows = enumerate(text.splitlines(), 1)
    return {row.partition(" ")[0]: number for number, row in rows if row.startswith("Bad")}


def _rows(graph: Graph, folder: Path, modules: Modules) -> dict[str, Row]:
    rows = {place_of(row): row for row in load_manifest(folder)}
    controls = load_controls(folder)
    table = folder / TABLE
    at = control_lines(table.read_text(encoding="utf-8")) if table.is_file() else {}
    for place, row in rows.items():
        text = (folder / row.cfg).read_text(encoding="utf-8")
        read = read_cfg(text)
        checked = {*read.invariants, *read.properties}
        used = set(re.findall(r"[A-Za-z_]\w*", " ".join([*read.other.values()])))
        used |= {word for value in read.constants.values() for word in re.findall(r"\w+", value)}
        if row.control:
            line = at.get(row.name, 1)
            graph.add(Node(place, MODEL, "control", f"{FOLDER}/{TABLE}", line, line))
            _link(graph, place, tla.resolve(modules, row.module, row.expected), "must fail")
            graph.link(place, row.cfg, "runs the configuration of")
            for edit in controls[row.name].edits if row.name in controls else ():
                _link(graph, place, tla.resolve(modules, edit.module, edit.definition), "edits")
        else:
            file = f"{FOLDER}/{row.cfg}"
            graph.add(Node(place, MODEL, "model", file, 1, text.count("\n") + 1))
            for name in sorted(checked):
                _link(graph, place, tla.resolve(modules, row.module, name), "checks")
        for name in sorted(used - checked):
            _link(graph, place, tla.resolve(modules, row.module, name), "runs")
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
        name=stem, file=file, bodies=bodies, lines=lines, rest="",
        uses={name: set(re.findall(r"[A-Za-z_][\w']*", body)) for name, body in bodies.items()},
        extends=tuple(f"{one}.v" for found in requires for one in found.split()), last=len(rows),
    )  # fmt: skip


def _rocq_place(files: dict[str, Text], file: str, name: str) -> str | None:
    """Return the place of a name as a Rocq file sees it, None where it sees none."""
    one = files.get(file)
    if one is None:
        return None
    if name in one.bodies:
        return f"{file}!{name}"
    found = (_rocq_place(files, above, name) for above in one.extends)
    return next((place for place in found if place is not None), None)


def _proofs(graph: Graph, root: Path) -> None:
    found = {}
    for path in sorted((root / ROCQ).glob("*.v")):
        text = path.read_text(encoding="utf-8")
        one = read_rocq(path.relative_to(root).as_posix(), text)
        found[one.name] = (one, text)
    files = {name: one for name, (one, _) in found.items()}
    for one, _ in found.values():
        for name, (first, last) in one.lines.items():
            graph.add(Node(f"{one.name}!{name}", PROOF, "Rocq", one.file, first, last))
    for one, text in found.values():
        modules = [file.removesuffix(".py").replace("/", ".") for file in MIRRORED.findall(text)]
        for name, words in one.uses.items():
            place = f"{one.name}!{name}"
            for word in sorted(words - {name}):
                target = _rocq_place(files, one.name, word)
                if target is not None:
                    graph.link(place, target, "uses")
            for module in modules:
                graph.link(place, f"{module}.{name}", "mirrors")


@dataclass(frozen=True)
class Models:
    """What of the models the commands need: rows by place, and the modules."""

    folder: Path
    rows: dict[str, Row]
    modules: Modules


def add_models(graph: Graph, root: Path) -> Models:
    """Add operators, models, controls and lemmas. Raises ``ManifestError`` and ``TlaError``."""
    folder = root / FOLDER
    modules = tla.read_modules(folder, sorted(path.stem for path in folder.glob("*.tla")))
    _operators(graph, folder, modules)
    rows = _rows(graph, folder, modules)
    _proofs(graph, root)
    return Models(folder, rows, modules)
