"""The item: CrossHair over every contract of the kernel.

Rules of this file:

*   Every condition that ``conditions.py`` finds is in the figures: confirmed, violated, or listed
    as not confirmed with the reason. In the fast lane most are listed as not tried.
*   A function's answer is kept under the hash of all it depends on, so an interrupted run goes on
    where it was and an edit runs again what hangs on it. An answer that ran out of time is used
    again only for no more time.
*   Holds: no violation, and something was tried. A condition that is not confirmed is no violation:
    CrossHair supports the proof, it does not replace it.
*   The fast lane takes functions of plain numbers, a second each: seconds in all. What an earlier
    run has found is used in both lanes.

Not here: discovery, the worker, the verdict (the three other modules).
"""

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from verify.crosshair.conditions import Contracted, callers_of, contracted_functions
from verify.crosshair.report import CONFIRMED, NOT_CONFIRMED, VIOLATED, judge
from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context, Item, Outcome
from verify.store import Store, key_of

SECONDS = {FAST: 1.0, FULL: 8.0}  # processor time for each postcondition
PLAIN = {"int", "bool", "Money", "Ppm"}
OVERHEAD_S = 4.0  # starting a worker
OWN_ROOT = Path(__file__).resolve().parents[2]
WORKER = "verify.crosshair.worker"
LOST_S = 60.0  # of the clock, over ten times the search's own limit


def version() -> str:
    """Return CrossHair's version and its solver's, empty when it is not installed."""
    if importlib.util.find_spec("crosshair") is None:
        return ""
    return "/".join(importlib.metadata.version(name) for name in ("crosshair-tool", "z3-solver"))


def run_worker(root: Path, one: Contracted, seconds: float) -> dict[str, Any]:
    """Run one function in a process of its own and return its document."""
    ensured = sum(condition.kind == "ensure" for condition in one.conditions)
    limit = LOST_S + 10 * seconds * max(1, ensured)
    path = os.pathsep.join((str(root), str(OWN_ROOT)))  # the kernel is root's, the worker is ours
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": path}
    command = [sys.executable, "-m", WORKER, one.module, one.function, str(seconds)]
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=limit,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"results": [], "error": f"the worker was ended after {limit:.0f} s"}
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["nothing was printed"])[-1]
        return {"results": [], "error": f"the worker ended with {done.returncode}: {last[:300]}"}
    return document


def lane_of(one: Contracted) -> str:
    """Return the first lane that tries a function."""
    return FAST if set(one.parameters) <= PLAIN else FULL


def recall(store: Store, key: str, seconds: float) -> dict[str, Any] | None:
    """Return a kept answer that is as good as a run of ``seconds`` would be."""
    kept = store.get(key)
    if not isinstance(kept, dict) or not isinstance(kept.get("document"), dict):
        return None
    document: dict[str, Any] = kept["document"]
    states = [result["state"] for result in document.get("results", ())]
    final = bool(states) and all(state == "CONFIRMED" for state in states)
    return document if final or kept.get("seconds", 0) >= seconds else None


def answers(context: Context, functions: Sequence[Contracted]) -> dict[str, dict[str, Any]]:
    """Return the documents by function: kept ones, and new ones of those that the lane tries."""
    store = context.store.below("crosshair")
    seconds = SECONDS[context.lane]
    tool = version()
    worker = (Path(__file__).parent / "worker.py").read_text(encoding="utf-8")
    keys = {one.name: key_of(one.name, one.sha256, worker, tool) for one in functions}
    found: dict[str, dict[str, Any]] = {}
    waiting = []
    for one in functions:
        kept = recall(store, keys[one.name], seconds)
        if kept is not None:
            found[one.name] = kept
        elif context.lane == FULL or lane_of(one) == FAST:
            waiting.append(one)
        else:
            found[one.name] = {"results": [], "error": "not tried in the fast lane"}
    total = len(functions)
    context.tell(total - len(waiting), total, "kept")
    with ThreadPoolExecutor(max_workers=max(1, context.jobs)) as pool:
        running = {pool.submit(run_worker, context.root, one, seconds): one for one in waiting}
        try:
            for future in as_completed(running):
                one = running[future]
                found[one.name] = future.result()
                if not found[one.name].get("error"):
                    store.put(keys[one.name], {"seconds": seconds, "document": found[one.name]})
                context.tell(len(found), total, one.name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def forecast(functions: Sequence[Contracted], lane: str, jobs: int) -> float:
    """Return the seconds that a lane takes at most when nothing is kept."""
    tried = [one for one in functions if lane == FULL or lane_of(one) == FAST]
    conditions = sum(
        max(1, sum(condition.kind == "ensure" for condition in one.conditions)) for one in tried
    )
    return (conditions * SECONDS[lane] + len(tried) * OVERHEAD_S) / max(1, jobs)


def figures_of(verdicts: Sequence[Any], functions: int) -> Mapping[str, object]:
    """Return the section's JSON."""
    return {
        "conditions": len(verdicts),
        "confirmed": sum(one.status == CONFIRMED for one in verdicts),
        "violated": sum(one.status == VIOLATED for one in verdicts),
        "not_confirmed": [
            {"condition": one.condition.name, "reason": one.reason}
            for one in verdicts
            if one.status == NOT_CONFIRMED
        ],
        "functions": functions,
        "tool": version(),
    }


def run(context: Context) -> Outcome:
    """Check the contracts of the kernel."""
    if not version():
        return Outcome(NOT_RUN, "CrossHair is not installed (make env-dev)")
    package = context.root / "kernel"
    functions = contracted_functions(package)
    if not functions:
        return Outcome(DOES_NOT_HOLD, "kernel/ has no contract", {}, ("kernel/: no contract",))
    verdicts = judge(functions, answers(context, functions), callers_of(package))
    figures = figures_of(verdicts, len(functions))
    findings = tuple(
        f"{one.condition.module.replace('.', '/')}.py:{one.condition.line}: "
        f"{one.condition.name}: {one.reason}"
        for one in verdicts
        if one.status == VIOLATED
    )
    detail = (
        f"{figures['conditions']} conditions: {figures['confirmed']} confirmed, "
        f"{figures['violated']} violated"
    )
    return Outcome(DOES_NOT_HOLD if findings else HOLDS, detail, figures, findings)


def _forecasts() -> Mapping[str, float]:
    functions = contracted_functions(OWN_ROOT / "kernel")
    return {lane: forecast(functions, lane, 2) for lane in (FAST, FULL)}


ITEM = Item(
    name="crosshair",
    claim="No contract of the kernel has a counterexample that CrossHair finds",
    section="crosshair",
    inputs=("kernel/**/*.py", "verify/crosshair/*.py", "locks/dev.txt"),
    seconds=_forecasts(),
    run=run,
    samples=True,
)
