"""Rows of model checks from several places, each with what it rests on: the best one of each model.

Rules of this file:

*   A row counts where every file that it names (its modules, its configuration, the table of
    controls) has the hash that it names. A row that names no file is of unknown models: not run.
*   The rows of a record count where the record does (``standing.py``), one by one, also where not
    all of its rows were run.
*   Of each model the first row that counts is taken: run here before recorded. Where none counts,
    the first that there is, as stale.

Not here: whether a row holds (``collectors/models.py``).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from certification.standing import IN_PART, RECORDED, RUN_HERE, STALE, Standing

FOLDER = "spec/tla"
Row = Mapping[str, Any]


def changed(row: Row, root: Path) -> str:
    """Return which file of a row has changed since; "" where it is of the models as they are."""
    named: Mapping[str, str] = row.get("inputs") or {}
    if not named:
        return "the check does not say of which files"
    for name, digest in sorted(named.items()):
        path = root / FOLDER / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return f"{name} is another than the one that was checked"
    return ""


def recorded_rows(told: Standing | None, manifest: Mapping[str, Any] | None) -> list[Row]:
    """Return the rows of a record in the shape of a check's, with what they rest on."""
    if told is None or told.record is None:
        return []
    rows: Mapping[str, Row] = told.told["figures"].get("rows", {})
    pinned = {row["name"]: row for row in (manifest or {}).get("models", [])}
    counts = told.state in (RECORDED, IN_PART)
    place = f"{told.when} at {told.told['ran']['commit'][:9]}"
    return [
        {
            "name": name,
            "mode": pinned[name].get("mode", ""),
            "expected": pinned[name]["expected"],
            "problems": [],
            **row,
            "basis": RECORDED if counts else STALE,
            "why": f"recorded {place}" if counts else told.why,
        }
        for name, row in rows.items()
        if name in pinned
    ]


def doubts(document: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a check as a whole: its own words, and counts that do not fit."""
    found = [str(text) for text in document.get("problems", [])]
    rows = document["models"]
    controls = [row for row in rows if row["expected"] != "success"]
    failed = sum(row["result"] == row["expected"] for row in controls)
    for name, counted in (("total", len(controls)), ("failed_as_expected", failed)):
        said = document["negative_controls"].get(name)
        if said != counted:
            found.append(f"negative_controls.{name} is {said}, of the rows listed it is {counted}")
    wrong = any(row["result"] != row["expected"] or row.get("problems") for row in rows)
    if not document["ok"] and not found and not wrong:
        found.append("the check as a whole says no")
    return found


def combined(
    documents: Sequence[Mapping[str, Any] | None],
    told: Standing | None,
    manifest: Mapping[str, Any] | None,
    root: Path,
) -> dict[str, Any] | None:
    """Return one document of the best rows; each says ``basis``, ``why`` and ``source``.

    ``source`` is the place in ``documents``, or -1 for the record. None where there is no row.
    """
    taken: dict[str, dict[str, Any]] = {}
    problems: list[str] = []

    def take(rows: Iterable[Row], source: int) -> None:
        for row in rows:
            before = taken.get(row["name"])
            if before is None or (before["basis"] == STALE and row["basis"] != STALE):
                taken[row["name"]] = {**row, "source": source}

    for source, document in enumerate(documents):
        if document is None:
            continue
        rows = []
        for row in document["models"]:
            why = changed(row, root)
            rows.append({**row, "basis": STALE if why else RUN_HERE, "why": why})
        if any(row["basis"] == RUN_HERE for row in rows):
            problems += doubts(document)
        take(rows, source)
    take(recorded_rows(told, manifest), -1)
    if not taken:
        return None
    rows = list(taken.values())
    controls = [row for row in rows if row["expected"] != "success"]
    return {
        "ok": not problems,
        "models": rows,
        "negative_controls": {
            "total": len(controls),
            "failed_as_expected": sum(row["result"] == row["expected"] for row in controls),
        },
        "problems": list(dict.fromkeys(problems)),
    }
