"""Records of earlier runs: whether valid here, compared with a run, written.

Rules of this file:

*   What a record is worth is the certification's word: ``python -m certification.recording``,
    started as a process. Verification computes no hash of its own for it.
*   The fast lane takes a record of exactly these inputs for an outcome, and says so. The full lane
    never does: it runs, and is compared with the record. Where the two differ, the item does not
    hold, whatever either says, and both are named.
*   A record is made from what a checkout keeps of its own runs (``gather.py``), by the
    certification. "Not run" is never recorded.

Not here: the records (``certification/records/``), which items there are (``plan.py``).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.item import DOES_NOT_HOLD, HOLDS, NOT_RUN, Outcome

RECORDED, STALE = "recorded", "stale"
BAD_INPUT = 2
JUDGE = "certification.recording"
CHECKOUT = (".git", "verify/plan.py")
GATHER = Path(__file__).with_name("gather.py")


class RecordsUnreadable(ValueError):
    """Records that cannot be read: one line that names file and field."""


@dataclass(frozen=True)
class Recorded:
    """What the record of an item is worth here: state, why no more, figures that count.

    ``inputs_sha256`` is of the inputs as they are here, whatever the record says.
    """

    item: str
    state: str
    why: str
    inputs_sha256: str
    holds: bool
    figures: Mapping[str, Any]
    compared: Mapping[str, Any]
    record: Mapping[str, Any] | None

    @property
    def place(self) -> str:
        """Where the record is, and of which run."""
        ran = self.record["ran"] if self.record is not None else {"at": "", "commit": ""}
        return f"certification/records/{self.item}.json ({ran['at'][:16]}, {ran['commit'][:9]})"

    @property
    def outcome(self) -> Outcome:
        """The outcome that was recorded, where the record holds."""
        assert self.record is not None
        return Outcome(HOLDS, self.record["detail"], self.figures, tuple(self.record["findings"]))


def recorded(root: Path, items: Iterable[str] = ()) -> dict[str, Recorded]:
    """Return what the records of some items, or of all, are worth. Raises ``RecordsUnreadable``."""
    done = subprocess.run(
        [sys.executable, "-m", JUDGE, "--json", "--root", str(root), *items],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        told = json.loads(done.stdout)
        rows, strays = told["items"], told["strays"]
    except (ValueError, KeyError) as error:
        lines = done.stderr.strip().splitlines() or [f"{JUDGE} ended with {done.returncode}"]
        raise RecordsUnreadable(lines[-1]) from error
    if strays:
        raise RecordsUnreadable(
            f"{strays[0]}: not the record of any item; expected records of items alone"
            + (f" ({len(strays) - 1} more like it)" if len(strays) > 1 else "")
        )
    return {row["item"]: Recorded(**row) for row in rows}


def figure(figures: Mapping[str, Any], name: str) -> Any:
    """Return a figure by its dotted name, None where it is not there."""
    found: Any = figures
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def compared(outcome: Outcome, told: Recorded | None) -> Outcome:
    """Return a run's outcome, which does not hold where a record of the same inputs differs.

    ``told`` is compared where it is of exactly these inputs. A run that gave no outcome contradicts
    nothing.
    """
    if told is None or told.record is None or told.state != RECORDED or outcome.status == NOT_RUN:
        return outcome
    wrong = []
    if outcome.status != told.record["status"]:
        wrong.append(f"the record says '{told.record['status']}', this run '{outcome.status}'")
    for name, before in told.compared.items():
        now = figure(outcome.figures, name)
        if now != before:
            wrong.append(f"{name}: the record says {before}, this run {now}")
    if not wrong:
        return outcome
    findings = tuple(f"{told.place} differs from this run of the same inputs: {x}" for x in wrong)
    return Outcome(
        DOES_NOT_HOLD, f"{outcome.detail}; differs from its record", outcome.figures,
        (*findings, *outcome.findings),
    )  # fmt: skip


def rows_that_differ(
    rows: Mapping[str, Mapping[str, Any]], told: Recorded | None
) -> tuple[str, ...]:
    """Return how rows of a model check differ from those on record of the same models."""
    before = {} if told is None or told.record is None else told.figures.get("rows", {})
    return tuple(
        f"{name}: {key} is {row[key]:,}, on record it is {before[name][key]:,} ({told.place}): "
        "one of them is false"
        if isinstance(row[key], int)
        else f"{name}: {row[key]}, on record {before[name][key]} ({told.place}): one is false"
        for name, row in rows.items()
        if told is not None and name in before
        for key in ("result", "distinct", "generated", "diameter")
        if row[key] != before[name][key]
    )


def _python_of(checkout: Path) -> str:
    own = checkout / ".venv" / "bin" / "python"
    return str(own) if own.is_file() else sys.executable


def make(root: Path, of: Path, items: Iterable[str], gather: Path = GATHER) -> int:
    """Record in ``root`` what the checkout ``of`` has finished; return the recorder's exit code.

    0 recorded, 1 something was refused, 2 bad input.
    """
    names = list(items)
    # Without these the outcomes of whoever is imported instead would pass for that folder's.
    lacking = [name for name in CHECKOUT if not (of / name).exists()]
    if lacking:
        sys.stderr.write(
            f"dolphin verify: --from {of}: not a checkout of this project, it has no {lacking[0]}; "
            f"expected {' and '.join(CHECKOUT)} in it\n"
        )
        return BAD_INPUT
    done = subprocess.run(
        [_python_of(of), "-P", str(gather), *names],
        cwd=of, env=os.environ | {"PYTHONPATH": str(of)}, stdout=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    try:
        found = json.loads(done.stdout)
    except ValueError:
        sys.stderr.write(f"dolphin verify: {of}: its results cannot be read\n")
        return BAD_INPUT
    listed = [row["item"] for row in found["items"]]
    for name in names:
        if name not in listed:
            sys.stderr.write(f"{name}: not recorded: {of} keeps no outcome of it\n")
    if not listed:
        sys.stderr.write(f"dolphin verify: {of} keeps no outcome of the full lane\n")
        return 1
    code = subprocess.run(
        [sys.executable, "-m", JUDGE, "--write", "--root", str(root), "--of", str(of)],
        cwd=root, input=json.dumps(found), text=True, check=False,
    ).returncode  # fmt: skip
    return code or int(any(name not in listed for name in names))
