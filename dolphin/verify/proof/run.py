"""The kernel is proved: every function keeps its contract, for all integers.

Rules of this file:

*   The functions are the ones that the syntax trees of ``kernel/`` list. Each is proved, excused by
    name (``excused.toml``, at most 5 %), or a finding. Nothing is assumed of what was not run.
*   A job is a module, or a single function of a module that is heavy. A module that does not go
    through as a whole is tried function by function, so that a finding names the function.
*   A proof is kept under the hash of its file, of everything that it imports, of the prover's lock
    and of the limits. A failure is never kept.
*   A proof from a contradiction proves everything. So after every function ``assert False`` stands
    once, as a caller meets it, and must be refused each time (``probes``).
*   Negative controls: mutants of the shipped code, drawn by seed from the mutation tool's, go
    through the same generator and the same prover (``controls.py``).

Termination is not the prover's: no ``while``, ranges of constants, calls without a cycle
(tests/tidy/test_kernel_subset.py). Not here: proof files (``generate.py``), the prover's process
(``prover.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dolphin.verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
)
from dolphin.verify.proof import controls
from dolphin.verify.proof.errors import ProofError
from dolphin.verify.proof.excuses import Excuse, excuses, misfits
from dolphin.verify.proof.generate import functions_of, generate, imports_of, probe_module
from dolphin.verify.proof.prover import QUERY_MS, Prover, ProverMissing, python_of
from dolphin.verify.store import Store, key_of

BUILD = Path("build") / "proof"
LOCK = Path("locks") / "proof.txt"
VERSION = 1  # of what is kept: raise it where a proof would have to be run again
EXCUSED_PART = 20  # one in twenty functions at most
PROBE_MS = 5_000

# Modules whose functions are proved one by one: each takes the whole invariant.
ONE_BY_ONE = ("answers", "step")
# What the fast lane proves: small, and everything stands on them.
FAST_MODULES = ("causes", "outcome_contract", "parts")


@dataclass(frozen=True)
class Job:
    """A proof file and the functions to prove in it."""

    module: str
    file: Path
    functions: tuple[str, ...]


def listed(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the functions of each module of the kernel, as the syntax trees list them."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted((root / "kernel").glob("*.py")):
        names = tuple(each.name for each in functions_of(path.read_text("utf-8")))
        if names:
            found[path.stem] = names
    return found


def reached(module: str, texts: dict[str, str]) -> list[str]:
    """Return the module and all that it imports, itself or through others, sorted."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        one = waiting.pop()
        if one not in found and one in texts:
            found.add(one)
            waiting += imports_of(texts[one])
    return sorted(found)


def key_for(root: Path, module: str, functions: tuple[str, ...], texts: dict[str, str]) -> str:
    """Return the key under which a proof is kept."""
    read = [(name, texts[name]) for name in reached(module, texts)]
    lock = (root / LOCK).read_text("utf-8")
    return key_of("proof", VERSION, module, sorted(functions), read, lock, QUERY_MS)


def jobs(
    made: dict[str, Path], names: dict[str, tuple[str, ...]], excused: set[str], lane: str
) -> Iterator[Job]:
    """Yield the jobs of a lane."""
    for module, file in made.items():
        if lane == FAST and module not in FAST_MODULES:
            continue
        wanted = tuple(
            each for each in names.get(module, ()) if f"kernel.{module}.{each}" not in excused
        )
        if module in ONE_BY_ONE:
            for each in wanted:
                yield Job(module, file, (each,))
        elif wanted:
            yield Job(module, file, wanted)


def kept_or_proved(
    job: Job, whole: bool, prover: Prover, store: Store, key: str
) -> tuple[bool, tuple[str, ...]]:
    """Return whether a job is proved, and the prover's errors where it is not."""
    if store.get(key) == {"proved": True}:
        return True, ()
    answer = prover.prove(job.file, () if whole else job.functions)
    if answer.proved:
        store.put(key, {"proved": True})
    return answer.proved, answer.errors


def probes(
    root: Path, made: dict[str, Path], modules: set[str], prover: Prover, store: Store,
    texts: dict[str, str],
) -> tuple[int, int, list[str]]:  # fmt: skip
    """Put ``assert False`` after a call of each function; return all, refused, findings.

    What is not refused has a contract, or an axiom beneath it, that contradicts itself.
    """
    total = refused = 0
    findings = []
    for module in sorted(modules):
        text, lines = probe_module(texts[module], module)
        if not lines:
            continue
        total += len(lines)
        key = key_for(root, module, ("probe",), {**texts, "probe": text})
        kept = store.get(key)
        if kept != {"refused": len(lines)}:
            file = made[module].with_name(f"probe_{module}.py")
            file.write_text(text, "utf-8")
            answer = prover.prove(file, (), PROBE_MS)
            file.unlink()
            said = " ".join(answer.errors)
            passed = (
                [name for line, name in lines.items() if f"{file.name}@{line}." not in said]
                if answer.translated
                else sorted(lines.values())
            )
            findings += [
                f"kernel/{module}.py: {name}: assert False was not refused after it: "
                "its contract, or one below it, contradicts itself"
                for name in passed
            ]
            refused += len(lines) - len(passed)
            if not passed:
                store.put(key, {"refused": len(lines)})
        else:
            refused += len(lines)
    return total, refused, findings


def proofs(context: Context) -> Outcome:
    """Prove the lane's functions, probe their contracts, and let the prover reject mutants."""
    root = context.root
    try:
        python = python_of(root)
        made = generate(root, root / BUILD)
        excused = excuses(root)
    except ProverMissing as error:
        return Outcome(NOT_RUN, str(error), {"not_run": str(error)})
    except ProofError as error:
        return Outcome(DOES_NOT_HOLD, str(error), {}, (str(error),))
    texts = {module: file.read_text("utf-8") for module, file in made.items()}
    names = listed(root)
    total = sum(map(len, names.values()))
    findings = misfits(root, excused)
    if len(excused) * EXCUSED_PART > total:
        findings.append(f"{len(excused)} of {total} functions are excused; one in twenty at most")
    store = context.store.below("proof")
    planned = list(jobs(made, names, {each.function for each in excused}, context.lane))
    with Prover(python, root / BUILD) as prover:
        proved, more = proved_of(context, planned, prover, store, texts)
        findings += more
        context.tell(len(planned), len(planned), "assert False after every function")
        asked, refused, more = probes(
            root, made, {job.module for job in planned}, prover, store, texts
        )
        findings += more
        figures: dict[str, object] = {
            "functions": total,
            "proved": proved,
            "excused": len(excused),
            "probes": {"total": asked, "refused": refused},
        }
        if context.lane == FULL:
            judged = controls.judged(context, prover, store, texts)
            findings += controls.findings(judged)
            figures["negative_controls"] = controls.figures(judged)
            figures["survivors"] = controls.survivors(judged)
    return outcome(context.lane, figures, total, len(excused), findings)


def proved_of(
    context: Context, planned: list[Job], prover: Prover, store: Store, texts: dict[str, str]
) -> tuple[int, list[str]]:
    """Return how many functions the jobs prove, and a finding for each that is not."""
    proved = 0
    findings = []
    for done, job in enumerate(planned):
        context.tell(done, len(planned), f"{job.module}: {len(job.functions)} functions")
        key = key_for(context.root, job.module, job.functions, texts)
        every = {each.name for each in functions_of(texts[job.module])}
        holds, errors = kept_or_proved(job, every == set(job.functions), prover, store, key)
        if holds:
            proved += len(job.functions)
            continue
        for each in job.functions:
            one = Job(job.module, job.file, (each,))
            if len(job.functions) > 1:
                single = key_for(context.root, job.module, (each,), texts)
                holds, errors = kept_or_proved(one, False, prover, store, single)
            if holds:
                proved += 1
            else:
                said = errors[0] if errors else "the prover gave no reason"
                findings.append(f"kernel/{job.module}.py: {each} is not proved: {said}")
    return proved, findings


def outcome(
    lane: str, figures: dict[str, object], total: int, excused: int, findings: list[str]
) -> Outcome:
    """Return the item's outcome for what was found."""
    proved = figures["proved"]
    detail = f"{proved} of {total} functions proved, {excused} excused"
    if lane == FAST:
        detail += "; the others in the full lane"
    return Outcome(DOES_NOT_HOLD if findings else HOLDS, detail, figures, tuple(findings))


ITEM = Item(
    name="proofs",
    claim="Every function of the kernel keeps its contract, and step keeps Inv, for all integers",
    section="proofs",
    inputs=(
        "kernel/*.py",
        "dolphin/verify/proof/*.py",
        "dolphin/verify/proof/excused.toml",
        "dolphin/verify/mutation/code_mutants.py",
        "locks/proof.txt",
    ),
    seconds={FAST: 60.0, FULL: 3_600.0},
    run=proofs,
)

__all__ = ["ITEM", "Excuse"]
