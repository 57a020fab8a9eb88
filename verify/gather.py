"""Collects what a checkout has finished of the full lane, from its stores; runs nothing.

Rules of this file:

*   It is run as a program, by the interpreter and on the modules of the checkout in question, so
    that results are read by the code that kept them. It prints one JSON document.
*   An item that held is given whole. What was broken off is given in part, with ``whole`` false:
    the functions that were proved, the mutants that have a verdict, the models that were run. An
    item of which nothing is kept is left out.
*   Parts are named as the certification names them: a function or a module by its dotted name, a
    test by pytest's.

    python -P …/verify/gather.py [ITEM …]

Not here: what a record is (``certification/record.py``).
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Item, Outcome
from verify.plan import items
from verify.running import Verified, kept
from verify.store import Store

Parts = dict[str, dict[str, int]]
Waived = dict[str, list[str]]
Found = tuple[Outcome | None, Parts, Parts, Waived]  # what is known, parts, who killed, waivers
NOTHING: Found = (None, {}, {}, {})


def proofs(root: Path, store: Store) -> Found:
    """Return the functions whose proof is kept, and those that a waiver excuses."""
    from verify.proof.closure import Texts
    from verify.proof.generate import proof_files, sources
    from verify.proof.run import LOCK, key_for, listed, wanted
    from verify.proof.waivers import misfits, waivers

    entries = waivers(root)
    excused = {each.function for each in entries} if not misfits(root, entries) else set()
    texts = proof_files(sources(root))
    read, lock = Texts(texts), (root / LOCK).read_text("utf-8")
    total = sum(map(len, listed(root).values()))
    below = store.below("proof")
    parts: Parts = {name: {"proved": 0, "excused": 1} for name in excused}
    for module, name in wanted(texts, excused, FULL):
        if below.get(key_for(lock, (module, name), read)) == {"proved": True}:
            parts[f"kernel.{module}.{name}"] = {"proved": 1, "excused": 0}
    proved = sum(part["proved"] for part in parts.values())
    if not proved:
        return NOTHING
    detail = f"{proved} of {total} functions proved, {len(excused)} waived"
    figures = {"functions": total, "proved": proved, "excused": len(excused)}
    return Outcome(HOLDS, detail, figures), parts, {}, {}


def crosshair(root: Path, store: Store) -> Found:
    """Return what CrossHair has said of each function's conditions."""
    from verify.crosshair import item
    from verify.crosshair.conditions import callers_of, contracted_functions
    from verify.crosshair.report import judge
    from verify.store import key_of

    functions = contracted_functions(root / "kernel")
    worker = Path(item.__file__).with_name("worker.py").read_text(encoding="utf-8")
    below, tool = store.below("crosshair"), item.version()
    documents: dict[str, Mapping[str, Any]] = {}
    for one in functions:
        key = key_of(one.name, one.sha256, worker, tool)
        document = item.recall(below, key, item.SECONDS[FULL])
        if document is not None:
            documents[one.name] = document
    if not documents:
        return NOTHING
    every = {one.name: documents.get(one.name, {"results": [], "error": "not tried"})
             for one in functions}  # fmt: skip
    verdicts = judge(functions, every, callers_of(root / "kernel"))
    figures = dict(item.figures_of(verdicts, len(functions)))
    states = ("confirmed", "violated")
    parts: Parts = {name: dict.fromkeys(("conditions", *states), 0) for name in documents}
    for verdict in verdicts:
        part = parts.get(f"{verdict.condition.module}.{verdict.condition.function}")
        if part is not None:
            part["conditions"] += 1
            for state in states:
                part[state] += verdict.status == state
    detail = (
        f"{len(documents)} of {len(functions)} functions tried; {figures['conditions']} conditions:"
        f" {figures['confirmed']} confirmed, {figures['violated']} violated"
    )
    status = DOES_NOT_HOLD if figures["violated"] else HOLDS
    return Outcome(status, detail, figures), parts, {}, {}


def models(root: Path, store: Store) -> Found:
    """Return TLC's results of the rows that were run, each judged against the manifest."""
    from verify.models import checking
    from verify.models.manifest import load_manifest

    rows = load_manifest(checking.SPEC_FOLDER)
    cache, judged = checking.CACHE_FOLDER, []
    for row in rows:
        found = checking._from_cache(cache, checking.cache_key(checking.SPEC_FOLDER, row))
        if found is not None:
            run, ran_at = found
            problems = checking.judge(checking.SPEC_FOLDER, row, run)
            judged.append(checking.Judged(row, run, ran_at, True, problems))
    if not judged:
        return NOTHING
    suite = checking.judge_suite(checking.SPEC_FOLDER, rows)
    told = checking.as_json(judged, suite)
    findings = (*suite, *(f"{one.row.name}: {text}" for one in judged for text in one.problems))
    figures = {
        "runs": len(judged),
        "of": len(rows),
        "negative_controls": told["negative_controls"],
        "distinct": sum(one.run.distinct for one in judged if not one.row.control),
        "rows": {
            one.row.name: {
                "result": one.run.result,
                "distinct": one.run.distinct,
                "generated": one.run.generated,
                "diameter": one.run.diameter,
                "seconds": round(one.run.seconds, 2),
                "ran_at": one.ran_at,
            }
            for one in sorted(judged, key=lambda one: one.row.name)
        },
    }
    detail = f"{len(judged)} of {len(rows)} runs"
    return Outcome(DOES_NOT_HOLD if findings else HOLDS, detail, figures, findings), {}, {}, {}


def code_mutants(root: Path, store: Store) -> Found:
    """Return the mutants that have a verdict, by module, and the tests that killed them."""
    from verify.mutation import code, code_waivers
    from verify.mutation.code_inputs import Inputs
    from verify.mutation.code_run import KILLED, kept_result

    entries = code_waivers.read(code.JUSTIFIED)
    argued = {name for entry in entries for name in entry.mutants}
    below = store.below("verdicts")
    mutants, results = {}, {}
    parts: Parts = {}
    killers: Parts = {}
    waived: Waived = {}
    for group in code.groups(root):
        inputs = Inputs(root, (*group.depends, *group.tests))
        for mutant in code.of_group(root, group):
            mutants[mutant.id] = mutant
            found = kept_result(below, mutant, mutant.id in argued, inputs)
            if found is not None:
                results[mutant.id] = found
        for path in group.files:
            parts[_dotted(path)] = {}
    if not results:
        return NOTHING
    excused, findings = code_waivers.judged(entries, mutants, results)
    whole = code.outcome(mutants, results, excused, list(findings))
    for path in {mutant.path for mutant in mutants.values()}:
        of = [mutant for mutant in mutants.values() if mutant.path == path]
        parts[_dotted(path)] = dict(code.counts(of, results, excused))
        by = Counter(
            results[mutant.id].by
            for mutant in of
            if mutant.id in results and results[mutant.id].status == KILLED
        )
        killers[_dotted(path)] = {test: count for test, count in by.items() if test}
        waived[_dotted(path)] = [
            f"{mutant.function_hash}#{mutant.id.rpartition('#')[2]}"
            for mutant in of
            if mutant.id in excused and mutant.id in results and results[mutant.id].status != KILLED
        ]
    undecided = whole.figures["code"]
    assert isinstance(undecided, dict)
    status = DOES_NOT_HOLD if whole.status == DOES_NOT_HOLD else HOLDS
    detail = f"{len(results):,} of {len(mutants):,} mutants have a verdict; {whole.detail}"
    said = tuple(line for line in whole.findings if "no verdict" not in line)
    return Outcome(status, detail, whole.figures, said), parts, killers, waived


def _dotted(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


class NotKept(Exception):
    """A run that would have to be done: it is not kept."""


def spec_mutants(root: Path, store: Store) -> Found:
    """Return the mutants of the models whose verdict follows from runs that are kept."""
    import tempfile

    from verify.models.manifest import load_manifest
    from verify.mutation import spec
    from verify.mutation.spec_killers import Killers, Ran
    from verify.mutation.spec_mutants import mutants_of, scope_of

    class Kept(Killers):
        """The killers, as far as what they said is kept; the unchanged models' runs among it."""

        def run(self, shop: Any, killer: Any) -> Any:
            said = self.store.get(self.key(shop, killer))
            if said is None:
                raise NotKept(killer.name)
            return Ran(**said)

        def baseline(self, killer: Any) -> str:
            if killer.name not in self._baseline:
                way, what = self.judge(killer, self.run(unchanged, killer))
                self._baseline[killer.name] = f"{killer.name}: {what}" if way or what else ""
            return self._baseline[killer.name]

    folder = root / "spec" / "tla"
    rows = load_manifest(folder)
    scope = scope_of(folder, rows)
    mutants = mutants_of(scope)
    waived = spec.read_justified(root / spec.JUSTIFIED)
    excused = {entry.mutant for entry in waived}
    killers = Kept(root, rows, store, known=spec.remembered(root))
    verdicts = {}
    with tempfile.TemporaryDirectory(prefix="dolphin-gather-") as scratch:
        unchanged = killers.workshop(Path(scratch) / "unchanged")
        shop = killers.workshop(Path(scratch) / "mutant")
        for mutant in mutants:
            text = mutant.text(scope.modules[mutant.module].text)
            near = killers.near if mutant.id in excused else None
            try:
                verdicts[mutant.id] = killers.kill(shop, mutant, text, near)
            except NotKept:
                continue
    if not verdicts:
        return NOTHING
    status, figures, findings = spec.reckon(scope, mutants, verdicts, waived)
    figures["undecided"] = len(mutants) - len(verdicts)
    figures["total"] = len(mutants)
    detail = (
        f"{len(verdicts):,} of {len(mutants):,} mutants of the models have a verdict; "
        f"{figures['killed']} killed, {figures['justified']} waived"
    )
    if status == NOT_RUN:
        return NOTHING
    return Outcome(status, detail, {"spec": figures}, findings), {}, {}, {}


IN_PART: Mapping[str, Callable[[Path, Store], Found]] = {
    "proofs": proofs,
    "crosshair": crosshair,
    "models": models,
    "mutants-code": code_mutants,
    "spec-mutants": spec_mutants,
}


def document_of(
    item: Item, outcome: Outcome, whole: bool, ran_at: str, seconds: float | None
) -> dict[str, Any]:
    """Return an item's outcome as the recorder takes it."""
    return {
        "item": item.name,
        "section": item.section,
        "claim": item.claim,
        "lane": FULL,
        "status": outcome.status,
        "whole": whole,
        "detail": outcome.detail,
        "figures": dict(outcome.figures),
        "findings": list(outcome.findings),
        "seconds": seconds,
        "ran_at": ran_at,
    }


def held_of(item: Item, store: Store, root: Path) -> Verified | None:
    """Return the outcome of a whole item that is kept: the full lane's, or one as good."""
    held = kept(store, item, FULL, root)
    if held is None and FAST in item.seconds and not getattr(item, "samples", True):
        held = kept(store, item, FAST, root)
    return held


def when_and_how_long(outcome: Outcome, folder: Path) -> tuple[str, float | None]:
    """Return when the last result of a part came, and the seconds of all where they are kept."""
    rows: Any = outcome.figures.get("rows")
    if rows:
        spent = sum(row["seconds"] for row in rows.values())
        return max(row["ran_at"] for row in rows.values()), round(spent, 1)
    last = max((path.stat().st_mtime for path in folder.rglob("*.json")), default=0.0)
    return datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds"), None


def is_whole(name: str, outcome: Outcome) -> bool:
    """Return whether what is kept piece by piece is as good as one run of all."""
    found: Any = outcome.figures
    if name == "models":
        return bool(found["runs"] == found["of"])
    if name in ("mutants-code", "spec-mutants"):
        return not found["code" if name == "mutants-code" else "spec"]["undecided"]
    return False


def gathered(root: Path, only: Iterable[str]) -> dict[str, Any]:
    """Return the document: what is finished of each item of the full lane."""
    store, wanted = Store.of(root), set(only)
    listed = []
    for item in items(FULL):
        if wanted and item.name not in wanted:
            continue
        held = held_of(item, store, root)
        part: Found = NOTHING
        # Models keep their runs elsewhere; of the others nothing is read where nothing is kept.
        own = store.below(item.name)
        if item.name in IN_PART and (item.name == "models" or own.folder.is_dir()):
            part = IN_PART[item.name](root, own)
        outcome, parts, killers, waived = part
        if held is not None:
            figures = {**(outcome.figures if outcome else {}), **held.outcome.figures}
            whole = Outcome(HOLDS, held.outcome.detail, figures, held.outcome.findings)
            told = document_of(item, whole, True, held.ran_at, held.seconds)
        elif outcome is not None:
            ran_at, seconds = when_and_how_long(outcome, own.folder)
            told = document_of(item, outcome, is_whole(item.name, outcome), ran_at, seconds)
        else:
            continue
        listed.append({**told, "parts": parts, "killers": killers, "waived": waived})
    names = " ".join(f"--only {name}" for name in sorted(wanted))
    return {"command": f"dolphin verify --lane full {names}".rstrip(), "items": listed}


def main() -> None:
    """Print what the checkout in this folder has finished."""
    parser = argparse.ArgumentParser(prog="verify/gather.py")
    parser.add_argument("items", nargs="*", help="default: all of the full lane")
    asked = parser.parse_args()
    json.dump(gathered(Path.cwd(), asked.items), sys.stdout)


if __name__ == "__main__":
    main()
