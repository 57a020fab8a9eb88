"""Mutants of the models: each killed by TLC, by a count or by the corpus, or waived.

Rules of this file:

*   The full lane judges every mutant with every killer until one kills. The fast lane judges a
    sample: the mutants whose hash with ``SAMPLE_SEED`` is the lowest, so an edit of one definition
    does not draw another sample.
*   A mutant that lives must be justified in ``spec_waivers.toml``: its id, why it is equivalent,
    and the hash of the definition it changes. An entry without its mutant, with another hash, or of
    a mutant that is killed does not hold.
*   What is justified meets the near killers only (``Killers.near``), so that a full lane ends: it
    is an argument that excuses it, not a run.
*   A mutant that lives where a killer could not judge is "not run", never "survived".
*   What is kept is each single run (``spec_killers.py``): a broken-off lane goes on where it was.

    python -m verify.mutation.spec [--lane full] [--only ID] [--jobs N]

Not here: what a mutant is (``spec_mutants.py``), what kills one (``spec_killers.py``).
"""

import argparse
import hashlib
import json
import queue
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from traces.audit.tlatools import ToolMissing, jar_path, java_path
from traces.provenance import ROOT
from verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
    tell_on_stderr,
)
from verify.models.manifest import ManifestError, load_manifest
from verify.models.tla import TlaError
from verify.mutation.spec_killers import (
    WAYS,
    GeneratorFault,
    Killer,
    Killers,
    Verdict,
    Workshop,
)
from verify.mutation.spec_mutants import (
    Mutant,
    Scope,
    definition_sha256,
    mutants_of,
    scope_of,
)
from verify.store import Store

JUSTIFIED = Path("verify/mutation/spec_waivers.toml")
KILLERS = Path("verify/mutation/spec_killers.toml")
KILLERS_HEAD = """# Which killer killed which mutants when all of them were tried. A hint of what
# to run first: nothing relies on it. Written by
#     python -m verify.mutation.spec --lane full --remember
"""
SAMPLE = 12
SAMPLE_SEED = "dolphin"


@dataclass(frozen=True)
class Justification:
    """Why a mutant that nothing kills is the same model."""

    mutant: str
    definition_sha256: str
    why: str


class Unreadable(ValueError):
    """Justifications that cannot be read: file, entry, what was expected."""


def read_justified(path: Path) -> tuple[Justification, ...]:
    """Return the entries of a file of justifications. Raises ``Unreadable``."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(f"{path}: not TOML: {error}") from error
    found = []
    for number, entry in enumerate(data.get("justified", []), 1):
        wanted = ("mutant", "definition_sha256", "why")
        if set(entry) != set(wanted) or not all(isinstance(entry[key], str) for key in wanted):
            raise Unreadable(f"{path}: entry {number}: expected the texts {', '.join(wanted)}")
        if not entry["why"].strip():
            raise Unreadable(f"{path}: entry {number} ({entry['mutant']}): says no why")
        found.append(Justification(**entry))
    return tuple(found)


def reckon(
    scope: Scope,
    mutants: Sequence[Mutant],
    verdicts: Mapping[str, Verdict],
    justified: Iterable[Justification],
) -> tuple[str, dict[str, object], tuple[str, ...]]:
    """Return the status, the figures and the findings.

    ``mutants`` are all of them, ``verdicts`` of those that were judged.
    """
    by_id = {mutant.id: mutant for mutant in mutants}
    wrong: list[str] = []
    excused: set[str] = set()
    for entry in justified:
        mutant = by_id.get(entry.mutant)
        where = f"{JUSTIFIED}: {entry.mutant}"
        if mutant is None:
            wrong.append(f"{where}: there is no such mutant")
            continue
        found = definition_sha256(scope.modules[mutant.module], mutant.definition)
        if found != entry.definition_sha256:
            wrong.append(
                f"{where}: bound to another text of {mutant.definition} "
                f"(its hash is {found[:16]}…, the entry says {entry.definition_sha256[:16]}…)"
            )
            continue
        verdict = verdicts.get(entry.mutant)
        if verdict is not None and verdict.killed:
            wrong.append(f"{where}: it is killed by {verdict.killer} ({verdict.what})")
            continue
        if entry.mutant in excused:
            wrong.append(f"{where}: waived twice")
        excused.add(entry.mutant)
    killed = Counter(verdict.way for verdict in verdicts.values() if verdict.killed)
    alive = [
        by_id[name]
        for name, verdict in verdicts.items()
        if not verdict.killed and name not in excused
    ]
    lost = 0
    for mutant in alive:
        unjudged = verdicts[mutant.id].unjudged
        lost += bool(unjudged)
        state = f"not judged: {unjudged[0]}" if unjudged else "survives"
        wrong.append(f"{mutant.place}: {mutant.id}: {mutant.was!r} -> {mutant.now!r} {state}")
    figures: dict[str, object] = {
        "total": len(verdicts),
        "killed": sum(killed.values()),
        "justified": sum(name in excused for name in verdicts),
        "by": {way: killed[way] for way in WAYS},
        "generated": len(mutants),
        "operators": dict(sorted(Counter(mutant.operator for mutant in mutants).items())),
        "modules": dict(sorted(Counter(mutant.module for mutant in mutants).items())),
        "statements_not_mutated": len(scope.statements),
        "reached_by_nothing": sorted(f"{module}!{name}" for module, name in scope.unreached),
    }
    status = HOLDS
    if wrong:
        status = NOT_RUN if lost == len(alive) == len(wrong) else DOES_NOT_HOLD
    return status, figures, tuple(wrong)


def remembered(root: Path) -> dict[str, str]:
    """Return the killer of each mutant of the last run that was written down, by id."""
    try:
        data = tomllib.loads((root / KILLERS).read_text(encoding="utf-8"))
    except OSError:
        return {}
    return {mutant: killer for killer, mutants in data.items() for mutant in mutants}


def remember(root: Path, verdicts: Mapping[str, Sequence[object]]) -> None:
    """Write down which killer killed which mutants; ``verdicts`` as the store keeps them."""
    killed: dict[str, list[str]] = {}
    for mutant, (way, killer, *_) in verdicts.items():
        if way:
            killed.setdefault(str(killer), []).append(mutant)
    lines = [KILLERS_HEAD]
    for killer, mutants in sorted(killed.items()):
        lines.append(f"{json.dumps(killer)} = [\n")
        lines += [f"  {json.dumps(mutant)},\n" for mutant in sorted(mutants)]
        lines.append("]\n")
    (root / KILLERS).write_text("".join(lines), encoding="utf-8")


def sample(mutants: Sequence[Mutant], count: int) -> list[Mutant]:
    """Return the mutants whose hash with the seed is the lowest."""

    def rank(mutant: Mutant) -> str:
        return hashlib.sha256(f"{SAMPLE_SEED} {mutant.id}".encode()).hexdigest()

    return sorted(mutants, key=rank)[:count]


def judge_all(
    killers: Killers,
    scope: Scope,
    mutants: Sequence[Mutant],
    *,
    jobs: int,
    tell: Callable[[int, int, str], None],
    limit: Callable[[Mutant, Killer], bool] | None = None,
    judged: Callable[[Mutant, Verdict], None] | None = None,
) -> dict[str, Verdict]:
    """Return what becomes of each mutant, ``jobs`` at a time."""
    found: dict[str, Verdict] = {}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dolphin-mutants-") as scratch:
        shops: queue.SimpleQueue[Workshop] = queue.SimpleQueue()
        for number in range(jobs):
            shops.put(killers.workshop(Path(scratch) / str(number)))

        def one(mutant: Mutant) -> Verdict:
            shop = shops.get()
            try:
                text = mutant.text(scope.modules[mutant.module].text)
                return killers.kill(shop, mutant, text, partial(limit, mutant) if limit else None)
            except GeneratorFault as fault:
                raise GeneratorFault(f"{mutant.id}: {fault}") from fault
            finally:
                shops.put(shop)

        pool = ThreadPoolExecutor(max_workers=jobs)
        try:
            waiting = {pool.submit(one, mutant): mutant for mutant in mutants}
            for done, future in enumerate(as_completed(waiting), 1):
                mutant, verdict = waiting[future], future.result()
                found[mutant.id] = verdict
                if judged is not None:
                    judged(mutant, verdict)
                left = (time.monotonic() - begun) / done * (len(mutants) - done)
                alive = sum(not each.killed for each in found.values())
                tell(done, len(mutants), f"{alive} live, about {left / 60:.0f} min left")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        pool.shutdown()
    return {mutant.id: found[mutant.id] for mutant in mutants}


def run(context: Context) -> Outcome:
    """Judge the mutants of the models."""
    spec = context.root / "spec" / "tla"
    try:
        java_path()
        jar_path(context.root)
        rows = load_manifest(spec)
        scope = scope_of(spec, rows)
        mutants = mutants_of(scope)
        justified = read_justified(context.root / JUSTIFIED)
        chosen = mutants if context.lane == FULL else sample(mutants, SAMPLE)
        killers = Killers(context.root, rows, context.store, known=remembered(context.root))
        excused = {entry.mutant for entry in justified}

        def limit(mutant: Mutant, killer: Killer) -> bool:
            return mutant.id not in excused or killers.near(killer)

        verdicts = judge_all(
            killers, scope, chosen, jobs=context.jobs, tell=context.tell, limit=limit
        )
    except ToolMissing as missing:
        return Outcome(NOT_RUN, str(missing))
    except (TlaError, ManifestError, Unreadable, GeneratorFault) as fault:
        return Outcome(DOES_NOT_HOLD, str(fault), findings=(str(fault),))
    status, figures, findings = reckon(scope, mutants, verdicts, justified)
    context.store.put(
        f"verdicts-{context.lane}",
        {name: [v.way, v.killer, v.what, v.seconds] for name, v in verdicts.items()},
    )
    total, killed = figures["total"], figures["killed"]
    detail = f"{killed} of {total} mutants of the models killed, {figures['justified']} waived"
    if context.lane != FULL:
        detail += f" (a sample of {len(mutants)})"
    if findings:
        detail += f"; {len(findings)} findings"
    return Outcome(status, detail, {"spec": figures}, findings)


ITEM = Item(
    name="spec-mutants",
    claim="every mutant of the models is killed by TLC, by a count or by the corpus, or waived",
    section="mutation",
    inputs=(
        "spec/tla/*.tla", "spec/tla/*.cfg", "spec/tla/*.toml", "spec/tla/manifest.json",
        "kernel/**/*.py", "traces/**/*.py", "verify/models/*.py", "verify/mutation/spec*.py",
        "verify/mutation/spec_waivers.toml", "tests/traces/golden/*.journal",
    ),
    seconds={FULL: 3_000.0},
    run=run,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants and write what was found; the exit code is the item's, 2 on bad input."""
    parser = argparse.ArgumentParser(prog="python -m verify.mutation.spec")
    parser.add_argument("--lane", choices=(FAST, FULL), default=FAST)
    parser.add_argument("--only", default="", help="mutants whose id begins so, one line each")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--remember", action="store_true", help=f"write {KILLERS}")
    asked = parser.parse_args(arguments)
    store = Store.of(ROOT).below("spec-mutants")

    if asked.only:
        rows = load_manifest(ROOT / "spec" / "tla")
        scope = scope_of(ROOT / "spec" / "tla", rows)
        chosen = [one for one in mutants_of(scope) if one.id.startswith(asked.only)]
        if not chosen:
            sys.stderr.write(f"--only {asked.only}: no mutant's id begins so\n")
            return 2
        killers = Killers(ROOT, rows, store, known=remembered(ROOT))

        def say(mutant: Mutant, verdict: Verdict) -> None:
            bound = definition_sha256(scope.modules[mutant.module], mutant.definition)
            end = f"{verdict.way} by {verdict.killer}: {verdict.what}"
            if not verdict.killed:
                end = f"SURVIVES (definition_sha256 = {bound}) {'; '.join(verdict.unjudged)}"
            sys.stdout.write(f"{mutant.id}: {mutant.was!r} -> {mutant.now!r}: {end}\n")
            sys.stdout.flush()

        judge_all(killers, scope, chosen, jobs=asked.jobs, tell=tell_on_stderr, judged=say)
        return 0
    outcome = run(Context(asked.lane, ROOT, store, tell_on_stderr, asked.jobs))
    if asked.remember:
        remember(ROOT, store.get(f"verdicts-{asked.lane}") or {})
    document = {"status": outcome.status, "detail": outcome.detail, **outcome.figures}
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    sys.stderr.write("\n" + "\n".join(outcome.findings) + "\n")
    return {HOLDS: 0, DOES_NOT_HOLD: 1, NOT_RUN: 3}[outcome.status]


if __name__ == "__main__":
    raise SystemExit(main())
