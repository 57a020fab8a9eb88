"""Claims about the models: TLC's results compared again with the manifest.

Rules of this file:

*   A row holds when TLC said what the row and the manifest expect, with the pinned counts.
*   A row checked before its configuration or any module changed is "not run"; so is a row of the
    manifest that is not in the file.
*   A negative control holds when it fails with exactly the violation it names.

Not here: running TLC (``dolphin check``).
"""

from collections.abc import Mapping
from typing import Any

from certification.artefacts import Inputs
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


def _stale_because(row: Mapping[str, Any], pinned: Mapping[str, Any] | None, inputs: Inputs) -> str:
    """Return why a row speaks of another model than the one on disk; "" where it does not."""
    name, changed = inputs.newest_model
    if changed > inputs.check_file.modified:
        return f"{name} changed after this check"
    cfg = (pinned or {}).get("cfg", row["name"] + ".cfg")
    digest = row.get("cfg_sha256")
    if digest and inputs.configurations.get(cfg, digest) != digest:
        return f"{cfg} changed after this check"
    return ""


def judge_row(row: Mapping[str, Any], inputs: Inputs) -> tuple[str, str]:
    """Return state and detail of one row of ``check.json``."""
    rows = (inputs.manifest or {}).get("models", [])
    pinned = next((one for one in rows if one["name"] == row["name"]), None)
    problems = model_problems(row, pinned)
    if problems:
        return DOES_NOT_HOLD, "; ".join(problems)
    why = _stale_because(row, pinned, inputs)
    return (NOT_RUN, why) if why else (HOLDS, "")


def model_claims(inputs: Inputs) -> list[Claim]:
    file, check = inputs.check_file, inputs.check
    controls_text = "Every negative control fails with exactly the violation it names"
    suite_text = "Every model in the manifest was checked, and the suite itself is whole"
    if check is None:
        why = (
            "not the file that the session recorded" if file.present else f"{file.short} is missing"
        )
        unread = False if file.present else None
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
        detail = detail or f"{row.get('distinct', 0):,} distinct states"
        claims.append(
            claim_over(
                "MOD-" + slug(row["name"]),
                f"Model {row['name']} ({row['mode']}) holds, with the pinned counts",
                state,
                file,
                CHECK,
                PACKAGE,
                detail,
            )
        )
    judged = [(row["name"], *judge_row(row, inputs)) for row in bad]
    failing = [name for name, status, _ in judged if status == DOES_NOT_HOLD]
    old = [(name, why) for name, status, why in judged if status == NOT_RUN]
    said = check["negative_controls"]
    total, as_wanted = said.get("total", 0), said.get("failed_as_expected", 0)
    state = True
    detail = f"{total} of {total}"
    if failing:
        state, detail = False, f"did not fail as expected: {listed(failing)}"
    elif total != as_wanted:
        state, detail = False, f"{as_wanted} of {total} failed as expected"
    elif bad and total != len(bad):
        state, detail = False, f"{total} controls counted, {len(bad)} listed"
    elif total == 0:
        state, detail = None, "no control was run"
    elif old:
        state, detail = None, f"{listed(name for name, _ in old)}: {old[0][1]}"
    claims.append(claim_over("MOD-CONTROLS", controls_text, state, file, CHECK, PACKAGE, detail))
    faults = [str(text) for text in check.get("problems", [])]
    ran = {row["name"] for row in check["models"]}
    absent = [name for name in manifest if name not in ran]
    state = True
    detail = f"{len(check['models'])} rows"
    if faults or (not check["ok"] and all(c.status != DOES_NOT_HOLD for c in claims)):
        state, detail = False, listed(faults, 3) or "the check as a whole says no"
    elif not manifest:
        state, detail = None, "no manifest to compare with"
    elif absent:
        state, detail = None, f"not run: {listed(absent)}"
    elif not good:
        state, detail = None, "no model was run"
    claims.append(claim_over("MOD-SUITE", suite_text, state, file, CHECK, PACKAGE, detail))
    return claims
