"""Runs items one after the other, keeps what held, and sums up.

Rules of this file:

*   An outcome is kept under the hash of the item's inputs, and only where it ``HOLDS``: a failure
    is run again until it is mended, and "not run" is tried again.
*   An item that breaks (a bug of ours) is "not run" with what broke it; the others still run.
*   The sum holds only where every item holds. It does not hold where one does not; else, with
    something not run, it is incomplete.
*   Four things are told apart: an outcome of a run here (now, or kept for the same inputs), one
    that a record gives for exactly these inputs, a record that is stale, nothing. The last two are
    "not run". A sample that held is not run either, unless a record gives the rest.
*   The document names each item's inputs and their hash, so that a reader can tell whether it
    speaks of the source at hand.

Not here: which items (``plan.py``), printing (``dolphin/commands/verify.py``).
"""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context, Item, Outcome
from verify.records import STALE, Recorded, compared
from verify.store import Store, key_of, sha256_of_files

VERSION = 1
RUN_HERE, RECORDED = "run here", "recorded"
SECTIONS = ("proofs", "crosshair", "rocq", "coverage", "mutation", "requirements")

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Verified:
    """An item, its outcome, and how it came: run here, or as ``record`` says, the place of one."""

    item: Item
    outcome: Outcome
    seconds: float
    ran_at: str
    cached: bool
    inputs_sha256: str
    record: str = ""
    stale: bool = False
    whole: bool = False  # of the full lane

    @property
    def basis(self) -> str:
        """Return what the outcome rests on, of the four."""
        if self.outcome.status == NOT_RUN:
            return "stale" if self.stale else NOT_RUN
        return RECORDED if self.record else RUN_HERE


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
        seconds, ran_at = found["seconds"], found["ran_at"]
        return Verified(item, outcome, seconds, ran_at, True, inputs, whole=lane == FULL)
    except (KeyError, TypeError):
        return None


def at_no_cost(
    store: Store, item: Item, lane: str, root: Path, told: Recorded | None
) -> Verified | None:
    """Return what need not be run: kept here, or in the fast lane recorded for these inputs."""
    whole = kept(store, item, FULL, root) if FULL in item.seconds else None
    if lane == FULL or whole is not None:
        return whole
    if told is not None and told.holds and told.record is not None:
        inputs = sha256_of_files(root, item.inputs)
        at = str(told.record["ran"]["at"])
        return Verified(item, told.outcome, 0.0, at, False, inputs, record=told.place)
    return kept(store, item, lane, root)


def settled(one: Verified, lane: str, told: Recorded | None) -> Verified:
    """Return the outcome as it counts: a sample is no whole, a record that differs is a finding."""
    if one.record:
        return one
    stale = told is not None and told.state == STALE
    outcome = one.outcome
    if lane == FAST and one.item.samples:
        if outcome.status == HOLDS and not one.whole:
            rest = told.why if told is not None else "no run of it is recorded"
            said = f"{outcome.detail}; this is a sample, of the rest {rest}"
            outcome = Outcome(NOT_RUN, said, outcome.figures, outcome.findings)
    else:
        outcome = compared(outcome, told)
    return replace(one, outcome=outcome, stale=stale)


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
    return Verified(item, outcome, seconds, ran_at, False, inputs, whole=lane == FULL)


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
                "figures": dict(one.outcome.figures),
                "section": one.item.section,
                "claim": one.item.claim,
                "status": one.outcome.status,
                "detail": one.outcome.detail,
                "findings": list(one.outcome.findings),
                "seconds": round(one.seconds, 1),
                "ran_at": one.ran_at,
                "cached": one.cached,
                "basis": one.basis,
                "decides": one.whole or not one.item.samples,
                "record": one.record,
                "inputs": list(one.item.inputs),
                "inputs_sha256": one.inputs_sha256,
            }
            for one in verified
        ],
        **sections,
    }


def merged(before: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a lane after some of its items were run again.

    Each row has its own figures and names its inputs by hash, so that an old row beside a new one
    misleads nobody. The document as a whole says nothing: ``whole`` is false.
    """
    fresh = {row["name"] for row in told["items"]}
    old = [row for row in before.get("items", ()) if row["name"] not in fresh]
    return {**told, "whole": False, "items": [*old, *told["items"]]}
