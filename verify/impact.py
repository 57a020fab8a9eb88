"""What depends on a place of the tree, and what has to be run again when it changes.

Theory. The graph joins what the tree says of itself: the Python that names other Python
(``graph_python.py``), the operators that use others and the configurations that check them, the
Rocq definitions that mirror functions (``graph_models.py``); the requirements that code, models and
tests carry; and names that are the same on both sides of the correspondence. By design an event's
class, its handler, the model's action and the journal's event have one name
(tests/conformance/test_names.py holds it), and so do invariants and step properties.

Rules of this file:

*   An edge is read, never remembered. What cannot be seen in the text (a method called on a value
    whose class is not named) is not in the graph; where a whole folder is read at run time, the
    edge goes to the folder.
*   What must be run is told by the inputs of what runs: configurations whose module builds on a
    changed one, items of ``dolphin verify`` whose inputs match a changed file, tests that rest on
    a changed place. It is never less than what the graph reached.
*   In ``--diff``, a definition has changed when its syntax has: a comment or a layout alone is no
    change. So it is for operators and lemmas, without comments.

Not here: the command line (``dolphin/commands/impact.py``).
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from verify import plan
from verify.graph import (
    MODEL,
    PROOF,
    REQUIREMENT,
    SECTIONS,
    SPEC,
    TEST,
    Graph,
    Hit,
    Node,
)
from verify.graph_models import FOLDER, Models, add_models, read_module, read_rocq
from verify.graph_python import Function, Module, add_python, bound_by, place_of
from verify.models.controls import TABLE
from verify.models.manifest import ManifestError
from verify.models.tla import closure_of

ROOT = Path(__file__).resolve().parents[1]
NEAR_MAX = 4
TABLES = "certification/requirements/"
# Where the folder of the models is found at run time: what rests on these reads all modules.
MODEL_READERS = (
    "verify.models.checking.SPEC_FOLDER", "traces.provenance.SPEC_FOLDER",
    "traces.audit.tlc.find_models",
)  # fmt: skip
EVENTS = "kernel.events."
DISPATCH = "kernel.step."
# The tests that read every file of the tree as text.
HOUSE = "tests/tidy"
PROOF_OF = "proof of "
PROVER = "verify/proof"


class ImpactError(Exception):
    """Bad input, in one line. Exit code 2."""


@dataclass
class Tree:
    """The graph of a tree, and what the commands need beside it."""

    root: Path
    graph: Graph
    modules: dict[str, Module]
    models: Models
    requirements: list[dict[str, Any]] = field(default_factory=list)


# --- building ------------------------------------------------------------------------------------


def judged(root: Path) -> list[dict[str, Any]]:
    """Return the requirements with their links, from their own judge. Raises ``ImpactError``."""
    words = ["-m", "certification.requirements", "--json", "--check", "--root", str(root)]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 2:
        raise ImpactError(done.stderr.strip())
    found: list[dict[str, Any]] = json.loads(done.stdout)["requirements"]
    return found


def snake(name: str) -> str:
    """Return ``RequestOrder`` as ``request_order``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def camel(name: str) -> str:
    """Return ``request_order`` as ``RequestOrder``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def events(tree: Tree) -> dict[str, str]:
    """Return each event's name and its handler's place: the kernel's function of that name."""
    found = {}
    module = tree.modules.get("kernel.events")
    for name, node in (module.defined if module else {}).items():
        if not isinstance(node, ast.ClassDef) or not node.bases:
            continue
        for other in tree.modules.values():
            if other.name.startswith("kernel.") and snake(name) in other.defined:
                found[name] = f"{other.name}.{snake(name)}"
    return found


def _correspond(tree: Tree) -> None:
    graph = tree.graph
    operators: dict[str, list[str]] = {}
    for place, node in graph.nodes.items():
        if node.section == SPEC and not place.endswith("!"):
            operators.setdefault(place.partition("!")[2], []).append(place)

    def same(place: str, name: str, why: str) -> None:
        for operator in operators.get(name, []):
            graph.link(operator, place, why, last=True)
            graph.link(place, operator, why, last=True)

    handlers = events(tree)
    for event, handler in handlers.items():
        same(f"kernel.events.{event}", event, "is the same action as")
        same(handler, event, "is the same action as")
        same(handler, f"{event}Verdict", "has the same guards as")
    for module in tree.modules.values():
        if not module.name.startswith("kernel."):
            continue
        for name, defined in module.defined.items():
            place = f"{module.name}.{name}"
            if isinstance(defined, Function) and place not in handlers.values():
                same(place, name if name[:1].isupper() else camel(name), "has the name of")
    for test in [node for node in graph.nodes.values() if node.what in ("test", "scenario")]:
        for event in sent(graph, test.name):
            if event in handlers:
                graph.link(test.name, handlers[event], f"sends {event}, answered by")


def sent(graph: Graph, test: str) -> list[str]:
    """Return the events that a test names, itself or in a helper that it names."""
    under = {edge.dependee for edge in graph.under(test)}
    helpers = [name for name in under if graph.nodes[name].section == TEST]
    under |= {edge.dependee for helper in helpers for edge in graph.under(helper)}
    return sorted(one.removeprefix(EVENTS) for one in under if one.startswith(EVENTS))


def _require(tree: Tree) -> None:
    graph = tree.graph
    for row in tree.requirements:
        what = "high-level" if row["parent"] == "none" else "low-level"
        graph.add(Node(row["id"], REQUIREMENT, what, row["file"], row["line"], row["line"]))
    for row in tree.requirements:
        name = row["id"]
        graph.link(row["parent"], name, "is refined by", last=True)
        graph.link(name, row["parent"], "refines", last=True)
        carriers = [place for link in (*row["code"], *row["spec"]) for place in at(tree, link)]
        tests = {place for link in row["marked"] for place in at(tree, link)}
        tests |= {test.partition("[")[0] for test in row["tests"]}
        for place in sorted({*carriers, *tests}):
            graph.link(name, place, "is shown by" if "::" in place else "is carried by", last=True)
            graph.link(place, name, "verifies" if "::" in place else "implements", last=True)
        for test in tests:
            for place in carriers:
                graph.link(test, place, f"verifies {name}, which is carried by")


def at(tree: Tree, link: dict[str, Any]) -> list[str]:
    """Return the places of a link of the requirements: by name, else those at its line."""
    file, line, where = link["file"], link["line"], link["where"]
    if file.endswith(".py"):
        module = tree.modules.get(
            file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        )
        owner, _, name = where.rpartition(".")
        if module is not None and where:
            return [place_of(module, name, owner)]
    elif where:
        stem = file.rpartition("/")[2].removesuffix(".tla")
        return [f"{stem}!{where}"]
    around = [
        node
        for node in tree.graph.nodes.values()
        if node.file == file and node.line <= line <= node.end
    ]
    return [min(around, key=lambda node: node.end - node.line).name] if around else []


def _prove(tree: Tree) -> None:
    """Add the prover's obligations: every function of the kernel, but those it is excused from."""
    path = tree.root / PROVER / "waivers.toml"
    if not path.is_file():
        return
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("excused", [])
    excused = {row["function"] for row in rows}
    for module in tree.modules.values():
        if not module.name.startswith("kernel."):
            continue
        for name, node in module.defined.items():
            place = f"{module.name}.{name}"
            if isinstance(node, Function) and place not in excused:
                shown = tree.graph.nodes[place]
                proof = f"{PROOF_OF}{place}"
                tree.graph.add(Node(proof, PROOF, "Nagini", shown.file, shown.line, shown.end))
                tree.graph.link(proof, place, "proves the contract of")


def _read_models(tree: Tree) -> None:
    readers = [name for name in MODEL_READERS if name in tree.graph.nodes]
    reached = tree.graph.walk(readers)
    for hit in list(reached.values()):
        if hit.node.section == TEST and hit.node.what in ("test", "scenario"):
            for module in tree.models.modules:
                tree.graph.link(hit.node.name, f"{module}!", "reads the folder of")


def build(root: Path = ROOT) -> Tree:
    """Return the tree's graph. Raises ``ImpactError``."""
    graph = Graph()
    try:
        modules = add_python(graph, root)
        models = add_models(graph, root)
    except SyntaxError as error:
        raise ImpactError(f"{error.filename}:{error.lineno}: {error.msg}") from error
    except (OSError, ValueError, ManifestError) as error:
        raise ImpactError(str(error)) from error
    tree = Tree(root, graph, modules, models)
    _read_models(tree)
    tree.requirements = judged(root)
    _correspond(tree)
    _require(tree)
    _prove(tree)
    return tree


# --- names ---------------------------------------------------------------------------------------


def named(tree: Tree, name: str) -> list[str]:
    """Return the places that a name stands for. Raises ``ImpactError`` naming the nearest."""
    graph = tree.graph
    if not name:
        raise ImpactError("an empty name; expected an action, a function, a module or a file")
    if name in graph.nodes:
        return [name]
    path = name.removeprefix("./")
    in_file = [node.name for node in graph.nodes.values() if node.file == path]
    if in_file:
        return in_file
    module = [place for place, node in graph.nodes.items() if place.startswith(f"{name}.")]
    if name in tree.modules and module:
        owner = tree.modules[name]
        return [node.name for node in graph.nodes.values() if node.file == owner.file]
    of_model = {place for place in graph.nodes if place.startswith(f"{name}!")}
    of_model |= {f"{name}.cfg"} & graph.nodes.keys()  # a control's place is its name
    if of_model:
        return sorted(of_model)
    short = [
        place
        for place in graph.nodes
        if re.split(r"::|[.!]", place)[-1] == name and not place.startswith(PROOF_OF)
    ]
    handler = events(tree).get(name)
    if handler is not None:
        short.append(handler)
    if short:
        # The tree's own places before those of tests; of models, what is no bounded copy.
        own = [place for place in short if graph.nodes[place].section != TEST]
        return sorted(set(own or short))
    known = {re.split(r"::|[.!]", place)[-1] for place in graph.nodes} | set(graph.nodes)
    known |= set(tree.modules) | {node.file for node in graph.nodes.values()}
    near = get_close_matches(name, sorted(known), n=NEAR_MAX, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "no name is near it"
    raise ImpactError(
        f"{name}: no action, function, invariant, requirement, module or file; {hint}"
    )


# --- differences ---------------------------------------------------------------------------------


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImpactError(done.stderr.strip().splitlines()[0] if done.stderr else "git failed")
    return done.stdout


def _shape(node: ast.AST) -> str:
    """Return a definition's syntax without docstrings, and without methods of a class."""
    for child in ast.walk(node):
        if isinstance(child, ast.Module | ast.ClassDef | Function):
            body = child.body
            said = (
                body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
            )
            if said and isinstance(body[0].value.value, str):  # type: ignore[attr-defined]  # asked
                child.body = body[1:] or [ast.Pass()]
    return ast.dump(node)


def python_places(file: str, text: str) -> dict[str, str]:
    """Return every place of a Python file with its syntax as text."""
    module = Module(
        file.removesuffix(".py").removesuffix("/__init__").replace("/", "."), file, ast.parse(text)
    )
    found, rest = {}, []
    for statement in module.tree.body:
        if isinstance(statement, Function):
            found[place_of(module, statement.name)] = _shape(statement)
        elif isinstance(statement, ast.ClassDef):
            for method in [one for one in statement.body if isinstance(one, Function)]:
                found[place_of(module, method.name, statement.name)] = _shape(method)
            statement.body = [one for one in statement.body if not isinstance(one, Function)]
            statement.body = statement.body or [ast.Pass()]
            found[place_of(module, statement.name)] = _shape(statement)
        elif names := bound_by(statement):
            for name in names:
                found[place_of(module, name)] = ast.dump(statement)
        elif not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
            rest.append(ast.dump(statement))
    found[f"{module.name}:"] = "\n".join(rest)
    return found


def model_places(file: str, text: str) -> dict[str, str]:
    """Return every place of a TLA+ module or a Rocq file with its text, layout squeezed."""
    rocq = file.endswith(".v")
    one = read_rocq(file, text) if rocq else read_module(file, text)
    found = {f"{one.name}!{name}": " ".join(body.split()) for name, body in one.bodies.items()}
    if not rocq:
        found[f"{one.name}!"] = " ".join(one.rest.split())
    return found


def table_places(file: str, text: str) -> dict[str, str]:
    """Return the requirements of a table, each as text."""
    data = tomllib.loads(text)
    defaults = data.pop("defaults", {})
    return {name: json.dumps({**defaults, **row}, sort_keys=True) for name, row in data.items()}


def manifest_places(file: str, text: str) -> dict[str, str]:
    """Return the rows of the manifest, each as text."""
    return {
        row["name"] if row.get("of") else f"{row['name']}.cfg": json.dumps(row, sort_keys=True)
        for row in json.loads(text)["models"]
    }


def control_places(file: str, text: str) -> dict[str, str]:
    """Return the negative controls of the table, each as text with its edits."""
    data = tomllib.loads(text)
    edits = data.get("edits", {})
    return {
        name: json.dumps([row, [edits.get(one) for one in row["edits"]]], sort_keys=True)
        for name, row in data.get("controls", {}).items()
    }


def whole_places(place: str) -> Any:
    """Return a reader that takes a file for one place."""
    return lambda file, text: {place: text}


def reader_of(file: str) -> Any:
    """Return what takes a file apart into places, None where nothing does."""
    if file.endswith(".py"):
        return python_places
    if file.startswith("spec/") and file.endswith((".tla", ".v")):
        return model_places
    if file.startswith(TABLES) and file.endswith(".toml"):
        return table_places
    if file == "spec/tla/manifest.json":
        return manifest_places
    if file == f"{FOLDER}/{TABLE}":
        return control_places
    name = file.rpartition("/")[2]
    if file.startswith("spec/tla/") and name.endswith(".cfg"):
        return whole_places(name)
    if file.startswith("tests/scenarios/") and name.endswith(".txt"):
        return whole_places(f"tests/scenarios/test_scenarios.py::test_scenario[{name[:-4]}]")
    return None


@dataclass(frozen=True)
class Difference:
    """What changed since a revision: places with what became of them; files without places."""

    places: dict[str, str]
    files: tuple[str, ...]
    unknown: tuple[str, ...]


def difference(root: Path, revision: str) -> Difference:
    """Return what the working tree changed since a revision. Raises ``ImpactError``."""
    _is_commit(root, revision)
    listed = _git(root, "diff", "--name-only", "--no-renames", revision, "--").splitlines()
    listed += _git(root, "ls-files", "--others", "--exclude-standard").splitlines()
    places: dict[str, str] = {}
    unknown = []
    files = []
    for file in sorted(set(listed)):
        path = root / file
        new = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
        old = _old(root, revision, file)
        reader = reader_of(file)
        if reader is None:
            unknown.append(file)
            files.append(file)
            continue
        try:
            before = reader(file, old) if old is not None else {}
            after = reader(file, new) if new is not None else {}
        except (SyntaxError, ValueError, KeyError) as error:
            raise ImpactError(f"{file}: cannot be read: {error}") from error
        changed = False
        for place in sorted({*before, *after}):
            if place not in after:
                places[place] = "removed"
            elif place not in before:
                places[place] = "added"
            elif before[place] != after[place]:
                places[place] = "changed"
            changed = changed or place in places
        if changed:
            files.append(file)
    return Difference(places, tuple(files), tuple(unknown))


def _is_commit(root: Path, revision: str) -> bool:
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ImpactError(f"--diff {revision}: no such revision")
    return True


def _old(root: Path, revision: str, file: str) -> str | None:
    done = subprocess.run(
        ["git", "show", f"{revision}:{file}"], cwd=root, capture_output=True, check=False
    )
    return None if done.returncode else done.stdout.decode("utf-8", errors="replace")


# --- the answer ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Impact:
    """What hangs on the roots, and what to run."""

    roots: dict[str, str]
    hits: dict[str, Hit]
    removed: tuple[str, ...]
    unknown: tuple[str, ...]
    check: tuple[str, ...]
    verify: tuple[str, ...]
    direct: tuple[str, ...]
    test_files: tuple[str, ...]
    whole_lane: bool

    def section(self, name: str) -> list[Hit]:
        """Return the hits of a section, nearest first."""
        found = [hit for hit in self.hits.values() if hit.node.section == name]
        return sorted(found, key=lambda hit: (hit.depth, hit.node.name))

    def commands(self) -> list[str]:
        """Return what to run, as commands."""
        found = []
        if self.check:
            names = "--lane exhaustive" if self.whole_lane else " ".join(self.check)
            found.append(f"dolphin check {names}")
        if self.direct:
            found.append(f"python -m pytest {' '.join(_grouped(self.direct))}")
        if self.test_files:
            found.append(f"python -m pytest {' '.join(_folders(self.test_files))}")
        if self.verify:
            found.append(
                "dolphin verify --lane full " + " ".join(f"--only {v}" for v in self.verify)
            )
        return found


GROUP_MAX = 6
FILES_MAX = 3


def _grouped(tests: Iterable[str]) -> list[str]:
    """Return node ids, a file in place of many of its tests."""
    by_file: dict[str, list[str]] = {}
    for test in tests:
        by_file.setdefault(test.partition("::")[0], []).append(test)
    found = []
    for file, its in sorted(by_file.items()):
        plain = sorted({test.partition("[")[0] for test in its})
        found += [file] if len(plain) > GROUP_MAX else plain
    return found


def _folders(files: Iterable[str]) -> list[str]:
    """Return files, a folder in place of many of its files."""
    by_folder: dict[str, list[str]] = {}
    for file in files:
        by_folder.setdefault(file.rpartition("/")[0], []).append(file)
    found: list[str] = []
    for folder, its in sorted(by_folder.items()):
        found += [folder] if len(its) > FILES_MAX else its
    return found


def matches(file: str, pattern: str) -> bool:
    """Return whether a glob pattern below the project's folder means the file."""
    if "**/" in pattern:
        return fnmatchcase(file, pattern) or fnmatchcase(file, pattern.replace("**/", "", 1))
    return fnmatchcase(file, pattern) and file.count("/") == pattern.count("/")


def items_for(files: Iterable[str]) -> list[str]:
    """Return the items of verification whose inputs hold one of the files."""
    changed = list(files)
    found = []
    for lane in plan.LANES:
        for item in plan.items(lane):
            wanted = any(matches(file, pattern) for file in changed for pattern in item.inputs)
            if wanted and item.name not in found:
                found.append(item.name)
    return found


def impact(
    tree: Tree, roots: dict[str, str], files: Iterable[str] = (), unknown: tuple[str, ...] = ()
) -> Impact:
    """Return what hangs on the roots (place → why it is one). ``files`` are changed beside them."""
    graph, files = tree.graph, tuple(files)
    present = {name: why for name, why in roots.items() if name in graph.nodes}
    removed = tuple(name for name in roots if name not in graph.nodes)
    hits = graph.walk(present)
    changed = {graph.nodes[name].file for name in present} | set(files)
    moved = {name for name in tree.models.modules if f"{FOLDER}/{name}.tla" in changed}
    rows = [
        row.name
        for place, row in tree.models.rows.items()
        if place in present
        or graph.nodes[place].file in files
        or moved & {*closure_of(tree.models.folder, row.module)}
    ]
    rows += [
        hit.node.name.removesuffix(".cfg") for hit in hits.values() if hit.node.section == MODEL
    ]
    check = tuple(name for name in (row.name for row in tree.models.rows.values()) if name in rows)
    tests = {name for name, hit in hits.items() if hit.node.what in ("test", "scenario")}
    # What is reached without the dispatch of all events speaks of the place itself.
    near = tuple(sorted(tests & graph.walk(present, stop=DISPATCH).keys()))
    further = {test.partition("::")[0] for test in tests.difference(near)}
    further -= {file for file in _grouped(near) if "::" not in file}
    if files or unknown:
        further.add(HOUSE)
    return Impact(
        roots=roots, hits=hits, removed=removed, unknown=unknown, check=check,
        verify=tuple(items_for(changed)), direct=near, test_files=tuple(sorted(further)),
        whole_lane=len(check) == len(tree.models.rows),
    )  # fmt: skip


def document(tree: Tree, found: Impact) -> dict[str, Any]:
    """Return the answer as plain data."""

    def row(hit: Hit) -> dict[str, Any]:
        node = hit.node
        return {
            "name": node.name, "what": node.what, "file": node.file, "line": node.line,
            "depth": hit.depth, "via": hit.via, "why": hit.why,
        }  # fmt: skip

    return {
        "roots": [
            {"name": name, "why": why, **({"file": tree.graph.nodes[name].file,
             "line": tree.graph.nodes[name].line} if name in tree.graph.nodes else {})}
            for name, why in found.roots.items()
        ],
        "removed": list(found.removed),
        "unknown_files": list(found.unknown),
        **{name: [row(hit) for hit in found.section(name)] for name in SECTIONS},
        "run": {
            "check": list(found.check),
            "verify": list(found.verify),
            "tests_direct": list(found.direct),
            "test_files_further": list(found.test_files),
            "commands": found.commands(),
        },
    }  # fmt: skip
