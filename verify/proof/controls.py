"""Negative controls: mutants of the shipped kernel that the prover must reject by itself.

Rules of this file:

*   The mutants are the mutation tool's (``verify/mutation/code_mutants.py``), drawn by a
    seed, of the functions that production runs: what ``ENTRIES`` reach through their bodies. What
    only contracts name is the specification itself: a mutant of it states another theorem, often a
    weaker and true one, and is the tests' to kill. Constants and tables of a module are not drawn:
    what a number should be no prover knows.
*   A mutant goes the way of the source: generator, proof file, prover. First the mutated function
    is proved, then those that call it or whose contracts speak of it, nearest first, until one is
    rejected.
*   Rejected is a mutant for which a job was run and not proved that is proved of the shipped source
    within the same limits: else a slow machine would reject too. A mutant that the prover cannot
    read (a call without an argument, a field without a value: its type checker refuses it) shows
    nothing of it and is no control: the next one drawn takes its place, and the count is said.
*   Four in five must be. The survivors are named with what catches them instead: the test that
    killed the same mutant when the mutation tool ran it last.

Not here: the proofs of the source itself (``run.py``).
"""

import ast
import queue
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from verify.item import Context
from verify.proof.closure import Place, Texts
from verify.proof.generate import file_of, functions_of, proof_files, sources, stripped, written
from verify.proof.prover import Answer, Prover
from verify.store import Store, key_of

if TYPE_CHECKING:
    from verify.mutation.code_mutants import Mutant

ENTRIES: tuple[Place, ...] = (
    ("step", "step"),
    ("state", "initial_state"),
    ("state", "opening_ledger"),
)
SEED = 4
DRAWN = 32
REJECTED_MIN = (4, 5)
ROUNDS = 2  # the mutated function; then what speaks of it
QUERY_MS = 10_000
JOB_SECONDS = 240.0
VERSION = 3

type Job = tuple[str, tuple[str, ...]]  # a module, functions of it


@dataclass(frozen=True)
class Judged:
    """A mutant and what became of it."""

    id: str
    change: str
    rejected: bool
    by: str
    read: bool = True
    caught_by: str = ""

    @property
    def lives(self) -> bool:
        """Whether the prover read it and let it live."""
        return self.read and not self.rejected


def production(shipped: dict[str, str]) -> set[Place]:
    """Return what ``ENTRIES`` reach through bodies, contracts aside, in the ``shipped`` sources."""
    bare = {}
    for module, text in shipped.items():
        tree = ast.parse(text)
        tree.body = [
            stripped(node) if isinstance(node, ast.FunctionDef) else node for node in tree.body
        ]
        bare[module] = ast.unparse(ast.fix_missing_locations(tree))
    read = Texts(bare)
    return {place for entry in ENTRIES for place in read.reached(entry)}


def drawn(root: Path) -> "list[Mutant]":
    """Return the mutants in the order in which they are drawn, all of them."""
    from verify import level_a
    from verify.mutation.code_mutants import mutants_of

    listed = level_a.read(root).modules
    paths = [
        Path(path)
        for module, path in level_a.modules_of(root, "kernel").items()
        if module in listed and module != "kernel.contracts"
    ]
    every = [mutant for path in paths for mutant in mutants_of(path, root) if not mutant.at_import]
    every.sort(key=lambda one: one.id)
    ran = production(sources(root))
    return [
        mutant
        for mutant in random.Random(SEED).sample(every, len(every))
        if place_of(mutant) in ran
    ]


def place_of(mutant: "Mutant") -> Place:
    """Return the module and the name of the function that a mutant is of."""
    return ".".join(Path(mutant.path).with_suffix("").parts[1:]), mutant.function.split(".")[-1]


def users_of(name: str, texts: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the functions whose body or contract names a function, by module."""
    found: dict[str, tuple[str, ...]] = {}
    for module, text in texts.items():
        users = tuple(
            each.name
            for each in functions_of(text)
            if each.name != name
            and any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(each))
        )
        if users:
            found[module] = users
    return found


def judge(
    mutant: "Mutant", shipped: dict[str, str], prover: Prover, proved: Callable[[Job], bool]
) -> Judged:
    """Let the prover say whether it rejects a mutant of the ``shipped`` sources.

    ``proved`` says whether a job is proved of the shipped sources, within the same limits.
    """
    module, function = place_of(mutant)
    changed = proof_files({**shipped, module: mutant.mutated_source})
    ahead: list[Job] = [(module, (function,))]
    seen: set[Job] = set()
    for _ in range(ROUNDS):
        following: list[Job] = []
        for one in ahead:
            if one in seen:
                continue
            seen.add(one)
            where, functions = one
            answer = asked(prover, changed, one)
            if not answer.translated and not any("not decided" in one for one in answer.errors):
                return Judged(mutant.id, mutant.change, False, "", read=False)
            if answer.translated and not answer.proved and proved(one):
                said = answer.errors[0] if answer.errors else "not decided"
                return Judged(mutant.id, mutant.change, True, f"{where}: {said}")
            for name in functions:
                following += users_of(name, changed).items()
        ahead = following
    return Judged(mutant.id, mutant.change, False, "")


def asked(prover: Prover, texts: dict[str, str], job: Job) -> Answer:
    """Let the prover prove a job of the kernel as ``texts`` has it."""
    write_all(prover.base, texts)
    return prover.prove(prover.base / file_of(job[0]), job[1], QUERY_MS)


def judged(
    context: Context, provers: Sequence[Prover], store: Store, texts: dict[str, str]
) -> list[Judged]:
    """Return what became of each mutant, as drawn, until enough of them could be read."""
    mutants = drawn(context.root)
    shipped = sources(context.root)
    with ExitStack() as stack:
        free: queue.SimpleQueue[Prover] = queue.SimpleQueue()
        for each in provers:
            base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dolphin-proof-")))
            free.put(stack.enter_context(Prover(each.python, base, JOB_SECONDS)))

        stands_on = sorted(texts.items())

        def one(mutant: "Mutant") -> Judged:
            key = key_of("control", VERSION, QUERY_MS, mutant.mutated_source, stands_on)
            kept = store.get(key)
            if isinstance(kept, dict):
                return Judged(mutant.id, mutant.change, **kept)
            prover = free.get()

            def proved(job: Job) -> bool:
                key = key_of("control of shipped", VERSION, QUERY_MS, job, stands_on)
                if store.get(key) != {"proved": True}:
                    if not asked(prover, texts, job).proved:
                        return False
                    store.put(key, {"proved": True})
                return True

            try:
                found = judge(mutant, shipped, prover, proved)
            finally:
                free.put(prover)
            store.put(key, {"rejected": found.rejected, "by": found.by, "read": found.read})
            return found

        found: list[Judged] = []
        with ThreadPoolExecutor(max_workers=len(provers)) as pool:
            for start in range(0, len(mutants), len(provers)):
                found += pool.map(one, mutants[start : start + len(provers)])
                could = sum(each.read for each in found)
                context.tell(min(could, DRAWN), DRAWN, f"mutant {found[-1].id}")
                if could >= DRAWN:
                    break
    return with_killers(context.root, mutants, found)


def with_killers(root: Path, mutants: "Sequence[Mutant]", found: Sequence[Judged]) -> list[Judged]:
    """Return the same, the survivors with the test that killed them in the mutation tool's run."""
    from verify.mutation.code import verdicts
    from verify.mutation.code_run import last_killer

    of_id = {mutant.id: mutant for mutant in mutants}
    store = verdicts(root)
    return [
        replace(each, caught_by=last_killer(store, of_id[each.id])) if each.lives else each
        for each in found
    ]


def write_all(base: Path, texts: dict[str, str]) -> None:
    """Write proof files below ``base``, and nothing else."""
    shutil.rmtree(base / "kernel", ignore_errors=True)
    for module, text in texts.items():
        written(base / file_of(module), text)


def figures(found: Sequence[Judged]) -> dict[str, int]:
    """Return how many could be read and how many of them the prover rejected."""
    return {
        "total": sum(each.read for each in found),
        "rejected": sum(each.rejected for each in found),
    }


def survivors(found: Sequence[Judged]) -> list[str]:
    """Return a line for each mutant that the prover let live, with what catches it instead."""
    ask = "python -m verify.mutation.code --only"
    return [
        f"{each.id}: {each.change}; "
        + (f"killed by {each.caught_by}" if each.caught_by else f"`{ask} {each.id}` runs the tests")
        for each in found
        if each.lives
    ]


def findings(found: Sequence[Judged]) -> list[str]:
    """Return a finding where the prover rejects fewer than it must."""
    part, whole = REJECTED_MIN
    total, rejected = figures(found).values()
    if total and rejected * whole >= total * part:
        return []
    names = ", ".join(each.id for each in found if each.lives)
    return [
        f"negative controls: {rejected} of {total} rejected, expected {part} in {whole}: "
        f"{names} live"
    ]
