"""Claims about the models: TLC's results compared again with the manifest.

Rules of this file:

*   A row holds when TLC said what the row and the manifest expect, with the pinned counts.
*   A row of other models than those on disk, by hash, is "not run"; so is a row of the manifest
    that nobody ran or recorded. Which rows count is ``checks.py``'s to say.
*   A negative control holds when it fails with exactly the violation it names.

Not here: running TLC (``dolphin check``).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from certification.artefacts import FileRef, Inputs
from certification.claims import (
    CHECK,
    DOES_NOT_HOLD,
    HOLDS,
    NOT_RUN,
    PACKAGE,
    Claim,
    claim_over,
    listed,
    slug,
)
from certification.standing import IN_PART, RECORDED, RUN_HERE, STALE


def model_problems(row: Mapping[str, Any], pinned: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return what is wrong with one row of ``check.json``, judged anew against the manifest."""
    problems = [str(text) for text in row.get("problems", [])]
    if row["result"] != row["expected"]:
        problems.append(f"expected {row['expected']}, TLC said {row['result']}")
    if pinned is not None:
        if row["expected"] != pinned["expected"]:
            problems.append(f"the manifest expects {pinned['expected']}")
        for key in ("distinct", "generated", "diameter"):
            want = pinned.get(key, -1)
            if isinstance(want, int) and want >= 0 and row.get(key) != want:
                problems.append(f"{key} is {row.get(key)}, pinned {want}")
    return tuple(dict.fromkeys(problems))


def judge_row(row: Mapping[str, Any], inputs: Inputs) -> tuple[str, str]:
    """Return state and detail of one row, judged against the manifest."""
    rows = (inputs.manifest or {}).get("models", [])
    pinned = next((one for one in rows if one["name"] == row["name"]), None)
    if row["basis"] == STALE:
        return NOT_RUN, str(row["why"])
    problems = model_problems(row, pinned)
    return (DOES_NOT_HOLD, "; ".join(problems)) if problems else (HOLDS, str(row["why"]))


def _file_of(row: Mapping[str, Any], inputs: Inputs) -> FileRef:
    source: int = row["source"]
    return inputs.record_files["models"] if source < 0 else inputs.check_files[source]


def _weakest(rows: Iterable[Mapping[str, Any]], whole: bool) -> str:
    """Return what a claim over many rows rests on."""
    bases = {row["basis"] for row in rows}
    if STALE in bases:
        return STALE
    if RECORDED in bases:
        return RECORDED if whole else IN_PART
    return RUN_HERE


def model_claims(inputs: Inputs) -> list[Claim]:
    file, check = inputs.check_files[0], inputs.check
    controls_text = "Every negative control fails with exactly the violation it names"
    suite_text = "Every model in the manifest was checked, and the suite itself is whole"
    if check is None:
        tampered = [ref for ref in inputs.check_files if ref.tampered]
        file = tampered[0] if tampered else file
        why = (
            "not the file that the session recorded"
            if tampered
            else "never checked here, no record"
        )
        unread = False if tampered else None
        return [
            claim_over("MOD-SUITE", suite_text, unread, file, CHECK, PACKAGE, why),
            claim_over("MOD-CONTROLS", controls_text, unread, file, CHECK, PACKAGE, why),
        ]
    manifest = {row["name"]: row for row in (inputs.manifest or {}).get("models", [])}
    good = [row for row in check["models"] if row["expected"] == "success"]
    bad = [row for row in check["models"] if row["expected"] != "success"]
    claims = []
    state: str | bool | None
    for row in good:
        state, detail = judge_row(row, inputs)
        counted = f"{row.get('distinct', 0):,} distinct states"
        detail = ", ".join(filter(None, (counted, detail))) if state == HOLDS else detail
        claims.append(
            claim_over(
                "MOD-" + slug(row["name"]),
                f"Model {row['name']} ({row['mode']}) holds, with the pinned counts",
                state,
                _file_of(row, inputs),
                CHECK,
                PACKAGE,
                detail,
                row["basis"],
            )
        )
    judged = [(row["name"], *judge_row(row, inputs)) for row in bad]
    failing = [name for name, status, _ in judged if status == DOES_NOT_HOLD]
    old = [(name, why) for name, status, why in judged if status == NOT_RUN]
    state = True
    detail = f"{len(bad)} of {len(bad)}"
    controls = [name for name, row in manifest.items() if row["expected"] != "success"]
    unseen = [name for name in controls if name not in {row["name"] for row in bad}]
    if failing:
        state, detail = False, f"did not fail as expected: {listed(failing)}"
    elif not bad:
        state, detail = None, "no control was run"
    elif old:
        state, detail = None, f"{listed(name for name, _ in old)}: {old[0][1]}"
    elif unseen:
        state, detail = None, f"not run: {listed(unseen)}"
    claims.append(_over("MOD-CONTROLS", controls_text, state, detail, bad, not unseen, inputs))
    faults = [str(text) for text in check.get("problems", [])]
    ran = {row["name"] for row in check["models"]}
    absent = [name for name in manifest if name not in ran]
    stale = [row["name"] for row in check["models"] if row["basis"] == STALE]
    state = True
    detail = f"{len(check['models'])} rows"
    if faults:
        state, detail = False, listed(faults, 3)
    elif not manifest:
        state, detail = None, "no manifest to compare with"
    elif absent:
        state, detail = None, f"not run: {listed(absent)}"
    elif stale:
        state, detail = None, f"of other models than those on disk: {listed(stale)}"
    elif not good:
        state, detail = None, "no model was run"
    rows = check["models"]
    claims.append(_over("MOD-SUITE", suite_text, state, detail, rows, not absent, inputs))
    return claims


def _over(
    name: str,
    text: str,
    state: str | bool | None,
    detail: str,
    rows: Sequence[Mapping[str, Any]],
    whole: bool,
    inputs: Inputs,
) -> Claim:
    """Return a claim over many rows; its file is the one of the row that counts the least."""
    if not rows:
        return claim_over(name, text, state, inputs.check_files[0], CHECK, PACKAGE, detail)
    basis = _weakest(rows, whole)
    last = next(
        (row for row in rows if row["basis"] == basis),
        next((row for row in rows if row["basis"] == RECORDED), rows[0]),
    )
    if state is True and basis == RECORDED:
        detail += f", {last['why']}"
    return claim_over(name, text, state, _file_of(last, inputs), CHECK, PACKAGE, detail, basis)
