"""Validity of a record in this tree: of exactly these inputs, in part, stale, or absent.

Rules of this file:

*   ``certification/inputs.toml`` says what each item reads. A record counts where the hash of that
    (``meaning.py``) is the hash that it names. Times of files say nothing.
*   An item that is made of parts is judged part by part: a function by its closure; the mutants of
    a module by the module's closure, and a kill by the closure of the test that killed. What has
    changed counts as not run, and the rest stays.
*   The figures are counted again from the parts that count.
*   A record whose inputs differ as a whole is stale: it counts as not run, and is named.

Not here: what a record is (``record.py``), what the report claims from it (``collectors/``).
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from certification import record as records
from certification.meaning import Place, Tree, digest, exact, found, sha256
from certification.shapes import BadInput

INPUTS = "certification/inputs.toml"
ROOT = Path(__file__).resolve().parent.parent
LEVEL_A = "certification/level_a.toml"
RUN_HERE = "run here"
RECORDED, IN_PART, STALE, NONE = "recorded", "recorded in part", "stale", "no record"


class Reads(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an item reads. ``functions``, ``tests``: what its parts are made of.

    ``compared`` are the figures that a run of the same inputs must find again; ``waivers`` is the
    file of arguments for mutants that no test can kill.
    """

    files: tuple[str, ...]
    exact: bool = False
    packages: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    waivers: str = ""

    @property
    def every(self) -> tuple[str, ...]:
        """All patterns of files."""
        return (*self.files, *self.functions, *self.tests, *filter(None, (self.waivers,)))


@dataclass(frozen=True)
class Standing:
    """A record, its worth, why it is no more, and its figures as they count here."""

    item: str
    state: str
    why: str = ""
    record: records.Record | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    inputs_now: str = ""

    @property
    def holds(self) -> bool:
        """Whether the record says of exactly these inputs that the whole item holds."""
        return self.state == RECORDED and self.told["status"] == records.HOLDS

    @property
    def told(self) -> records.Record:
        """The record, where there is one."""
        assert self.record is not None
        return self.record

    @property
    def took(self) -> str:
        """How long the run took that was recorded."""
        seconds = self.told["ran"]["seconds"]
        return "time not kept" if seconds is None else f"{seconds:,.0f} s"

    @property
    def when(self) -> str:
        """The day of the run that was recorded."""
        return str(self.told["ran"]["at"])[:10]


def reads(root: Path) -> dict[str, Reads]:
    """Return what each item reads. Raises ``BadInput``."""
    if not (root / INPUTS).is_file():
        return {}  # then no record counts
    try:
        document = tomllib.loads((root / INPUTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{INPUTS}: {error}") from error
    listed: dict[str, Reads] = {}
    for name, table in document.get("item", {}).items():
        try:
            listed[name] = msgspec.convert(table, Reads)
        except msgspec.ValidationError as error:
            raise BadInput(f"{INPUTS}: item.{name}: {error}") from error
    return listed


class Now:
    """The tree as it is: hashes of what items read, each computed once."""

    def __init__(self, root: Path) -> None:
        """Look below ``root``."""
        self.root = root
        self.tree = Tree(root)

    @cached_property
    def _locked(self) -> str:
        return "\n".join(
            path.read_text(encoding="utf-8") for path in found(self.root, ("locks/*.txt",))
        )

    def package(self, name: str) -> str:
        """Return the versions at which the locks pin a package."""
        pattern = rf"(?mi)^{re.escape(name)}(?:\[[^\]]*\])?==([^\s;\\]+)"
        return " ".join(sorted(set(re.findall(pattern, self._locked)))) or "not pinned"

    def pin(self, name: str) -> str:
        """Return the value of a variable of the Makefile."""
        path = self.root / "Makefile"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        match = re.search(rf"(?m)^{re.escape(name)}\s*:?=\s*(\S+)", text)
        return match.group(1) if match else "not pinned"

    def inputs(self, what: Reads) -> str:
        """Return the hash of what an item reads as a whole. Raises ``BadInput``."""
        try:
            files = exact(self.root, what.files) if what.exact else digest(self.tree, what.files)
        except SyntaxError as error:
            raise BadInput(f"{error.filename or INPUTS}: not Python: {error}") from error
        packages = (f"{name} {self.package(name)}" for name in sorted(what.packages))
        pins = (f"{name} {self.pin(name)}" for name in sorted(what.pins))
        return sha256(files, *packages, *pins)

    def places(self, patterns: Iterable[str]) -> dict[str, Place]:
        """Return the functions and classes of some files, by dotted name."""
        listed = {}
        for path in found(self.root, patterns):
            module = self.tree.at(path)
            for name, nodes in module.definitions.items():
                if isinstance(nodes[0], ast.FunctionDef | ast.ClassDef):
                    listed[f"{module.name}.{name}"] = (module.name, name)
        return listed

    def functions(self, patterns: Iterable[str], decorators: tuple[str, ...]) -> dict[str, str]:
        """Return the closure's hash of each function of some files that has such a decorator."""
        found = {}
        for name, place in self.places(patterns).items():
            node = self.tree.definition(place)
            if isinstance(node, ast.FunctionDef) and (
                not decorators or decorators_of(node) & set(decorators)
            ):
                found[name] = self.tree.closure(place)
        return found

    def tests(self, patterns: Iterable[str]) -> dict[str, str]:
        """Return the closure's hash, shortened, of each test by the name that pytest gives it."""
        return {
            f"{place[0].replace('.', '/')}.py::{place[1]}": self.tree.closure(place)[:16]
            for place in self.places(patterns).values()
            if place[1].lower().startswith("test")
        }

    def waived(self, name: str) -> frozenset[str]:
        """Return the mutants that a file of waivers names: the function's hash and the number."""
        path = self.root / name
        document = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return frozenset(
            f"{entry['hash']}#{number}"
            for entry in document.get("equivalent", ())
            for number in entry["mutants"]
        )

    def level_a(self) -> dict[str, str]:
        """Return the closure's hash of each module of level A."""
        listed = tomllib.loads((self.root / LEVEL_A).read_text(encoding="utf-8"))["level_a"]
        return {
            name: self.tree.closure((name, ""))
            for name in listed
            if self.tree.module(name) is not None
        }


def decorators_of(node: ast.FunctionDef) -> set[str]:
    """Return the names of a function's decorators."""
    calls = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return {one.id for one in calls if isinstance(one, ast.Name)}


def parts_now(now: Now, what: Reads) -> dict[str, str]:
    """Return the hash of each part of an item, by name; nothing where it has no parts."""
    if what.tests:
        return now.level_a()
    return now.functions(what.functions, what.decorators) if what.functions else {}


def summed(parts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums of the whole numbers of some parts."""
    sums: dict[str, int] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, int) and not isinstance(value, bool):
                sums[name] = sums.get(name, 0) + value
    return sums


def decided_still(
    part: Mapping[str, Any], tests: frozenset[str], waived: frozenset[str]
) -> dict[str, Any]:
    """Return the figures of a module's mutants: kills whose test, waivers whose entry is there."""
    killers: Mapping[str, int] = part.get("killers", {})
    lost = sum(count for test, count in killers.items() if test not in tests)
    gone = sum(mutant not in waived for mutant in part.get("waived", ()))
    return {
        **part,
        "killed": part.get("killed", 0) - lost,
        "justified": part.get("justified", 0) - gone,
        "undecided": part.get("undecided", 0) + lost + gone,
    }


def standing(now: Now, item: str, what: Reads, told: records.Record | None) -> Standing:
    """Return what an item's record is worth."""
    inputs = now.inputs(what)
    return replace(_standing(now, item, what, told, inputs), inputs_now=inputs)


def _standing(
    now: Now, item: str, what: Reads, told: records.Record | None, inputs: str
) -> Standing:
    if told is None:
        return Standing(item, NONE, "no run of it is recorded")
    day = str(told["ran"]["at"])[:10]
    if inputs != told["inputs_sha256"]:
        why = f"recorded {day} for other inputs: what it reads has changed"
        return Standing(item, STALE, why, told)
    if not (what.functions or what.tests):
        state = RECORDED if told["whole"] else IN_PART
        why = "" if told["whole"] else f"recorded {day} in part: {told['detail']}"
        return Standing(item, state, why, told, told["figures"])
    # By hash and not by name: what was only moved is the same part.
    wanted, kept = parts_now(now, what), told["parts"]
    by_hash = {part["sha256"]: part for part in kept.values()}
    here = {name for name, hash_ in wanted.items() if hash_ in by_hash}
    if what.tests:
        tests = frozenset(now.tests(what.tests).values())
        waived = now.waived(what.waivers)
        fresh = {name: decided_still(by_hash[wanted[name]], tests, waived) for name in here}
        # Of a module that has changed nothing is known but how many mutants it had.
        gone = [kept[name] for name in wanted if name in kept and name not in here]
        sums = summed([*fresh.values(), *({"total": p["total"], "undecided": p["total"]}
                                          for p in gone)])  # fmt: skip
        figures: Mapping[str, Any] = {**told["figures"], "code": {
            **told["figures"].get("code", {}), **sums,
            "modules": {"total": len(wanted), "recorded": len(here)}}}  # fmt: skip
        whole = told["whole"] and len(here) == len(wanted) and not sums.get("undecided")
        total = sums.get("total", 0)
        said = (
            f"{total - sums.get('undecided', 0):,} of {total:,} mutants have a verdict that still "
            "counts; "
            f"{len(here)} of {len(wanted)} modules are as they were"
        )
    else:
        sums = summed(by_hash[wanted[name]] for name in here)
        figures = {**told["figures"], **sums, "functions": len(wanted)}
        whole = told["whole"] and len(here) == len(wanted)
        said = f"{len(here)} of {len(wanted)} functions are as they were"
    if not here:
        why = f"recorded {day} for other inputs: none of its parts is as it was"
        return Standing(item, STALE, why, told)
    if whole:
        return Standing(item, RECORDED, "", told, figures)
    return Standing(item, IN_PART, f"recorded {day} in part: {said}", told, figures)


def standings(root: Path, only: Iterable[str] = (), now: Now | None = None) -> dict[str, Standing]:
    """Return what the record of each item is worth in this tree. Raises ``BadInput``."""
    now, wanted = now or Now(root), set(only)
    return {
        item: standing(now, item, what, records.read(records.file_of(root, item), root))
        for item, what in reads(root).items()
        if not wanted or item in wanted
    }
