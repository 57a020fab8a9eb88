"""Runs items one after the other, keeps what held, and sums up.

Rules of this file:

*   An outcome is kept under the hash of the item's inputs, and only where it ``HOLDS``: a failure
    is run again until it is mended, and "not run" is tried again.
*   An item that breaks (a bug of ours) is "not run" with what broke it; the others still run.
*   The sum holds only where every item holds. It does not hold where one does not; else, with
    something not run, it is incomplete.
*   The document names each item's inputs and their hash, so that a reader can tell whether it
    speaks of the source at hand.

Not here: which items (``plan.py``), printing (``dolphin/commands/verify.py``).
"""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from verify.item import DOES_NOT_HOLD, HOLDS, NOT_RUN, Context, Item, Outcome
from verify.store import Store, key_of, sha256_of_files

VERSION = 1
SECTIONS = ("proofs", "crosshair", "rocq", "coverage", "mutation", "requirements")

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Verified:
    """An item, its outcome, and how it came."""

    item: Item
    outcome: Outcome
    seconds: float
    ran_at: str
    cached: bool
    inputs_sha256: str


def key_for(item: Item, lane: str, inputs_sha256: str) -> str:
    """Return the key under which the item's outcome is kept."""
    return key_of(VERSION, item.name, lane, inputs_sha256)


def kept(store: Store, item: Item, lane: str, root: Path) -> Verified | None:
    """Return the outcome that was kept for the inputs as they are now, None where there is none."""
    inputs = sha256_of_files(root, item.inputs)
    found = store.below("items").get(key_for(item, lane, inputs))
    if not isinstance(found, dict):
        return None
    try:
        outcome = Outcome(HOLDS, found["detail"], found["figures"], tuple(found["findings"]))
        return Verified(item, outcome, found["seconds"], found["ran_at"], True, inputs)
    except (KeyError, TypeError):
        return None


def forecast(store: Store, item: Item, lane: str) -> float:
    """Return the seconds that the item took last, or its own estimate."""
    measured = store.get("seconds")
    if isinstance(measured, dict):
        last = measured.get(f"{item.name}:{lane}")
        if isinstance(last, int | float):
            return float(last)
    return item.seconds[lane]


def remember(store: Store, item: Item, lane: str, seconds: float) -> None:
    """Keep how long an item took, for the next forecast."""
    measured = store.get("seconds")
    table = dict(measured) if isinstance(measured, dict) else {}
    table[f"{item.name}:{lane}"] = round(seconds, 1)
    store.put("seconds", table)


def run_item(item: Item, lane: str, root: Path, store: Store, tell: Tell) -> Verified:
    """Run one item, now."""
    inputs = sha256_of_files(root, item.inputs)
    began = time.monotonic()
    ran_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        outcome = item.run(Context(lane, root, store.below(item.name), tell))
    except Exception as error:  # noqa: BLE001  (whatever breaks an item must not hide the others)
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        said = " ".join(str(error).split())[:300]
        outcome = Outcome(NOT_RUN, f"the item broke at {place}: {type(error).__name__}: {said}")
    seconds = time.monotonic() - began
    if outcome.status == HOLDS:
        remember(store, item, lane, seconds)
        store.below("items").put(
            key_for(item, lane, inputs),
            {
                "detail": outcome.detail,
                "figures": dict(outcome.figures),
                "findings": list(outcome.findings),
                "seconds": round(seconds, 1),
                "ran_at": ran_at,
            },
        )
    return Verified(item, outcome, seconds, ran_at, False, inputs)


def summed(verified: Sequence[Verified]) -> str:
    """Return the state of the whole: holds, does not hold, not run."""
    states = [one.outcome.status for one in verified]
    if DOES_NOT_HOLD in states:
        return DOES_NOT_HOLD
    return HOLDS if states and all(state == HOLDS for state in states) else NOT_RUN


def document(lane: str, verified: Sequence[Verified], whole: bool) -> dict[str, object]:
    """Return the JSON of a run. ``whole`` is whether the lane was run without a selection."""
    sections: dict[str, dict[str, object]] = {name: {} for name in SECTIONS}
    for one in verified:
        figures = sections.setdefault(one.item.section, {})
        figures.update(one.outcome.figures)
    for name in SECTIONS:
        if not sections[name]:
            sections[name] = {"not_run": "no item of this section gave figures"}
    return {
        "schema": VERSION,
        "ok": summed(verified) == HOLDS,
        "status": summed(verified),
        "lane": lane,
        "whole": whole,
        "not_run": [one.item.name for one in verified if one.outcome.status == NOT_RUN],
        "does_not_hold": [one.item.name for one in verified if one.outcome.status == DOES_NOT_HOLD],
        "items": [
            {
                "name": one.item.name,
                "section": one.item.section,
                "claim": one.item.claim,
                "status": one.outcome.status,
                "detail": one.outcome.detail,
                "findings": list(one.outcome.findings),
                "seconds": round(one.seconds, 1),
                "ran_at": one.ran_at,
                "cached": one.cached,
                "inputs": list(one.item.inputs),
                "inputs_sha256": one.inputs_sha256,
            }
            for one in verified
        ],
        **sections,
    }
