"""The kernel is proved: every function keeps its contract, for all integers.

Rules of this file:

*   The functions are the ones that the syntax trees of ``kernel/`` list. Each is proved, excused by
    name (``waivers.toml``, at most 5 %), or a finding. Nothing is assumed of what was not run.
*   A job is some functions of a module: what they stand on is read once for all of them. A function
    is proved where the back end said so of it by its place, and no error stands in it. What a job
    did not hear of is asked again in halves, until it is alone.
*   A proof is kept under the hash of the texts that it stands on (``closure.py``), of the prover's
    lock and of the limits. A failure is never kept.
*   A proof from a contradiction proves everything. So after every function ``assert False`` stands
    once, as a caller meets it, and must be refused each time (``probes``).
*   Negative controls: mutants of the shipped code, drawn by seed from the mutation tool's, go
    through the same generator and the same prover (``controls.py``).

Termination is not the prover's: no ``while``, ranges of constants, calls without a cycle
(tests/tidy/test_kernel_subset.py). Not here: proof files (``generate.py``), the prover's process
(``prover.py``).
"""

import queue
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
)
from verify.proof import controls
from verify.proof.closure import Place, Texts
from verify.proof.errors import ProofError
from verify.proof.generate import (
    PACKAGE,
    SPREAD_MODULE,
    file_of,
    functions_of,
    generate,
    imports_of,
    name_of,
    probe_module,
)
from verify.proof.prover import QUERY_MS, Answer, Member, Prover, ProverMissing, python_of
from verify.proof.waivers import Waiver, misfits, waivers
from verify.store import Store, key_of

BUILD = Path("build") / "proof"
LOCK = Path("locks") / "proof.txt"
VERSION = 3  # of what is kept: raise it where a proof would have to be run again
EXCUSED_PART = 20  # one in twenty functions at most
PROBE_MS = 1_000
JOB_FUNCTIONS = 16

# What stands on the whole invariant: in jobs of their own, smaller ones.
HEAVY_MODULES = ("answers", "step")
HEAVY_FUNCTIONS = 5
# What the fast lane proves: small, and everything stands on them.
FAST_MODULES = ("causes", "contract.outcome", "parts")


def listed(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the functions of each module of the kernel, as the syntax trees list them."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        names = tuple(each.name for each in functions_of(path.read_text("utf-8")))
        if names:
            found[name_of(root, path)] = names
    return found


def layers(texts: dict[str, str]) -> list[str]:
    """Return the modules, each after all that it imports."""
    found: list[str] = []

    def visit(module: str) -> None:
        if module in texts and module not in found:
            for one in sorted(imports_of(texts[module])):
                visit(one)
            found.append(module)

    for module in sorted(texts):
        visit(module)
    return found


def jobs(
    texts: dict[str, str], read: Texts, places: Iterable[Place]
) -> Iterator[tuple[Place, ...]]:
    """Yield the functions in jobs, what others stand on first; what stands on little together.

    A job is of one module.
    """
    ranked = sorted(places, key=lambda one: (len(read.reached(one)), one))
    for module in layers(texts):
        chosen = [one for one in ranked if one[0] == module]
        most = HEAVY_FUNCTIONS if module in HEAVY_MODULES else JOB_FUNCTIONS
        for start in range(0, len(chosen), most):
            yield tuple(chosen[start : start + most])


def wanted(texts: dict[str, str], excused: Iterable[str], lane: str) -> list[Place]:
    """Return the functions of a lane that are to be proved."""
    return [
        (module, each.name)
        for module, text in texts.items()
        if module != SPREAD_MODULE and (lane == FULL or module in FAST_MODULES)
        for each in functions_of(text)
        if f"kernel.{module}.{each.name}" not in excused
    ]


def spans_of(texts: dict[str, str], places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
    """Return the first and the last line of each function in its proof file, decorators with it."""
    listed_lines = {
        (module, each.name): (
            min([each.lineno, *(one.lineno for one in each.decorator_list)]),
            each.end_lineno or each.lineno,
        )
        for module, text in texts.items()
        for each in functions_of(text)
    }
    return {place: listed_lines[place] for place in places}


def stands_in(member: Member, place: Place, span: tuple[int, int]) -> bool:
    """Return whether a member is the function at a place."""
    return member.file == file_of(place[0]) and span[0] <= member.line <= span[1]


def verdicts(
    job: Sequence[Place], answer: Answer, spans: dict[Place, tuple[int, int]]
) -> dict[Place, tuple[bool, str]]:
    """Return of each function that was heard of whether it is proved, and what the prover said."""
    found: dict[Place, tuple[bool, str]] = {}
    for place in job:
        first, last = spans[place]
        file = re.escape(place[0].split(".")[-1])
        heard = [one for one in answer.members if stands_in(one, place, spans[place])]
        if not heard:
            continue
        said = [
            error
            for error in answer.errors
            for line in re.findall(rf"\b{file}\.py@(\d+)\.", error)
            if first <= int(line) <= last
        ]
        holds = all(one.verified for one in heard) and not said
        found[place] = (holds, said[0] if said else "the prover gave no reason")
    return found


def key_for(lock: str, place: Place, read: Texts) -> str:
    """Return the key under which a proof is kept; ``lock`` is the text of the prover's lock."""
    return key_of("proof", VERSION, place, read.closure(place), lock, QUERY_MS)


def proved_of(
    context: Context,
    places: Sequence[Place],
    provers: Sequence[Prover],
    store: Store,
    texts: dict[str, str],
) -> tuple[int, list[str]]:
    """Return how many of the functions are proved, and a finding for each that is not."""
    read = Texts(texts)
    lock = (context.root / LOCK).read_text("utf-8")
    keys = {place: key_for(lock, place, read) for place in places}
    open_ = [place for place in places if store.get(keys[place]) != {"proved": True}]
    done = len(places) - len(open_)
    failed: dict[Place, str] = {}
    spans = spans_of(texts, open_)
    free = pool_of(provers)
    heard: set[Place] = set()

    def tell(member: Member) -> None:
        heard.update(place for place in open_ if stands_in(member, place, spans[place]))
        context.tell(done + len(heard), len(places), f"{member.file}: {member.seconds:.0f} s")

    def run(job: tuple[Place, ...]) -> tuple[Place, ...]:
        prover = free.get()
        try:
            file = prover.base / file_of(job[0][0])
            answer = prover.prove(file, tuple(name for _, name in job), told=tell)
        finally:
            free.put(prover)
        found = verdicts(job, answer, spans)
        for place, (holds, said) in found.items():
            if holds:
                store.put(keys[place], {"proved": True})
            else:
                failed[place] = said
        for place in job:
            if place not in found:
                failed[place] = answer.errors[0] if answer.errors else "the prover gave no reason"
        return tuple(place for place in job if place not in found)

    waiting = list(jobs(texts, read, open_))
    with ThreadPoolExecutor(max_workers=len(provers)) as pool:
        while waiting:
            unheard = list(pool.map(run, waiting))
            # What a silent end left over is asked again in halves: one function ends alone.
            waiting = [
                half
                for left, job in zip(unheard, waiting, strict=True)
                if len(job) > 1
                for half in (left[: len(left) // 2], left[len(left) // 2 :])
                if half
            ]
            for job in waiting:
                for place in job:
                    failed.pop(place, None)
    findings = [
        f"kernel/{module}.py: {name} is not proved: {said}"
        for (module, name), said in sorted(failed.items())
    ]
    return len(places) - len(failed), findings


def probes(
    modules: Iterable[str],
    provers: Sequence[Prover],
    store: Store,
    texts: dict[str, str],
    tell: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> tuple[int, int, list[str]]:
    """Put ``assert False`` after a call of each function; return all, refused, findings.

    What is not refused has a contract, or an axiom beneath it, that contradicts itself.
    """
    read = Texts(texts)
    free = pool_of(provers)

    def probed(module: str) -> tuple[int, list[str]]:
        text, lines = probe_module(texts[module], module)
        stands_on = [read.closure((module, name)) for name in lines.values()]
        key = key_of("probe", VERSION, text, stands_on, PROBE_MS)
        if not lines or store.get(key) == {"refused": len(lines)}:
            return len(lines), []
        prover = free.get()
        try:
            file = prover.base / f"probe_{module.replace('.', '_')}.py"
            file.write_text(text, "utf-8")
            answer = prover.prove(file, (), PROBE_MS)
            file.unlink()
        finally:
            free.put(prover)
        said = " ".join(answer.errors)
        passed = [
            name
            for line, name in lines.items()
            if not answer.translated or f"{file.name}@{line}." not in said
        ]
        if not passed:
            store.put(key, {"refused": len(lines)})
        return len(lines), [
            f"kernel/{module}.py: {name}: assert False was not refused after it: "
            "its contract, or one below it, contradicts itself"
            for name in sorted(passed)
        ]

    asked = sorted(modules)
    found: list[tuple[int, list[str]]] = []
    with ThreadPoolExecutor(max_workers=len(provers)) as pool:
        for module, one in zip(asked, pool.map(probed, asked), strict=True):
            found.append(one)
            tell(len(found), len(asked), f"{module}.py: assert False after every function")
    total = sum(count for count, _ in found)
    findings = [each for _, some in found for each in some]
    return total, total - len(findings), findings


def pool_of(provers: Sequence[Prover]) -> "queue.SimpleQueue[Prover]":
    """Return the provers as a pool: take one, put it back."""
    free: queue.SimpleQueue[Prover] = queue.SimpleQueue()
    for each in provers:
        free.put(each)
    return free


def proofs(context: Context) -> Outcome:
    """Prove the lane's functions, probe their contracts, and let the prover reject mutants."""
    root = context.root
    try:
        python = python_of(root)
        made = generate(root, root / BUILD)
        excused = waivers(root)
    except ProverMissing as error:
        return Outcome(NOT_RUN, str(error), {"not_run": str(error)})
    except ProofError as error:
        return Outcome(DOES_NOT_HOLD, str(error), {}, (str(error),))
    texts = {module: file.read_text("utf-8") for module, file in made.items()}
    total = sum(map(len, listed(root).values()))
    findings = misfits(root, excused)
    if len(excused) * EXCUSED_PART > total:
        findings.append(f"{len(excused)} of {total} functions are waived; one in twenty at most")
    store = context.store.below("proof")
    places = wanted(texts, {each.function for each in excused}, context.lane)
    with ExitStack() as stack:
        provers = [
            stack.enter_context(Prover(python, root / BUILD))
            for _ in range(max(1, min(context.jobs, 2)))
        ]
        proved, more = proved_of(context, places, provers, store, texts)
        findings += more
        asked, refused, more = probes(
            {module for module, _ in places}, provers, store, texts, context.tell
        )
        findings += more
        figures: dict[str, object] = {
            "functions": total,
            "proved": proved,
            "excused": len(excused),
            "probes": {"total": asked, "refused": refused},
        }
        if context.lane == FULL:
            judged = controls.judged(context, provers, store, texts)
            findings += controls.findings(judged)
            figures["negative_controls"] = controls.figures(judged)
            figures["survivors"] = controls.survivors(judged)
            figures["controls_not_read"] = sum(not each.read for each in judged)
    return outcome(context.lane, figures, total, len(excused), findings)


def outcome(
    lane: str, figures: dict[str, object], total: int, excused: int, findings: list[str]
) -> Outcome:
    """Return the item's outcome for what was found."""
    proved = figures["proved"]
    detail = f"{proved} of {total} functions proved, {excused} waived"
    if lane == FAST:
        detail += "; the others in the full lane"
    return Outcome(DOES_NOT_HOLD if findings else HOLDS, detail, figures, tuple(findings))


ITEM = Item(
    name="proofs",
    claim="Every function of the kernel keeps its contract, and step keeps Inv, for all integers",
    section="proofs",
    inputs=(
        "kernel/**/*.py",
        "verify/proof/*.py",
        "verify/proof/waivers.toml",
        "verify/mutation/code_mutants.py",
        "locks/proof.txt",
    ),
    seconds={FAST: 60.0, FULL: 3_600.0},
    run=proofs,
    samples=True,
)

__all__ = ["ITEM", "Waiver"]
