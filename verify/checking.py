"""The models hold: TLC over every row of the manifest, and every edge through the kernel.

Rules of this file:

*   Judging is ``verify/models/checking.py``'s; its cache is shared with ``dolphin check``.
*   The fast lane is the manifest's; the full lane is the exhaustive one, and beside it the replay
    of all edges of the models' graphs at real scale.

Not here: what a row expects (``spec/tla/manifest.json``).
"""

import json

from traces.audit.tlatools import ToolMissing
from verify.item import (
    DOES_NOT_HOLD,
    FAST,
    FULL,
    HOLDS,
    NOT_RUN,
    Context,
    Item,
    Outcome,
)
from verify.models.checking import (
    CACHE_FOLDER,
    SPEC_FOLDER,
    Judged,
    as_json,
    check_rows,
    judge_suite,
    select,
)
from verify.models.edges import ABSTRACT, CORPUS, corpus, dumped
from verify.models.manifest import load_manifest


def models(context: Context) -> Outcome:
    """Run TLC over the lane's rows."""
    rows = load_manifest(SPEC_FOLDER)
    chosen = select(rows, "exhaustive" if context.lane == FULL else "fast", ())
    suite = judge_suite(SPEC_FOLDER, rows)
    done = 0

    def tell(one: Judged) -> None:
        nonlocal done
        done += 1
        context.tell(done, len(chosen), one.row.name)

    try:
        judged = check_rows(
            SPEC_FOLDER, chosen, jobs=context.jobs, cache=CACHE_FOLDER, progress=tell
        )
    except ToolMissing as error:
        return Outcome(NOT_RUN, str(error), {"not_run": str(error)})
    told = as_json(judged, suite)
    controls = told["negative_controls"]
    assert isinstance(controls, dict)
    findings = (
        *suite,
        *(f"{one.row.name}: {text}" for one in judged for text in one.problems),
    )
    figures: dict[str, object] = {
        "runs": len(judged),
        "negative_controls": controls,
        "distinct": sum(one.run.distinct for one in judged if not one.row.control),
    }
    detail = (
        f"{len(judged)} runs, {controls['failed_as_expected']} of {controls['total']} controls "
        "fail as named"
    )
    return Outcome(HOLDS if told["ok"] else DOES_NOT_HOLD, detail, figures, findings)


def edges(context: Context) -> Outcome:
    """Replay every edge of the models' graphs through the kernel."""
    context.tell(0, 1, "TLC draws the graphs at real scale")
    try:
        text, graph, mismatches = corpus(dumped())
    except ToolMissing as error:
        return Outcome(NOT_RUN, str(error), {"not_run": str(error)})
    findings = [
        f"{one.move} {one.verdict}: {'; '.join(one.differences)}" for one in mismatches[:100]
    ]
    for path, wanted in ((CORPUS, text), (ABSTRACT, graph)):
        if not path.is_file() or path.read_text(encoding="utf-8") != wanted:
            findings.append(f"{path.relative_to(context.root)}: drifted from what was drawn up")
    total = sum(one["edges"] for one in json.loads(text)["graphs"])
    detail = f"{total:,} edges, {len(mismatches)} mismatches"
    figures = {"edges": total, "edge_mismatches": len(mismatches)}
    return Outcome(DOES_NOT_HOLD if findings else HOLDS, detail, figures, tuple(findings))


INPUTS = (
    "spec/tla/*.tla", "spec/tla/*.cfg", "spec/tla/manifest.json", "spec/tla/controls.toml",
    "verify/models/*.py", "verify/models/*.java", "traces/audit/tlatools.py",
)  # fmt: skip

ITEMS = (
    Item(
        name="models",
        claim="Every model holds as pinned, and every negative control fails as named",
        section="models",
        inputs=INPUTS,
        seconds={FAST: 150.0, FULL: 900.0},
        run=models,
        samples=True,
    ),
    Item(
        name="edges",
        claim="Every edge of the models' graphs is the kernel's too, at real scale",
        section="models",
        inputs=(*INPUTS, "spec/tla/*.json", "kernel/**/*.py"),
        seconds={FULL: 120.0},
        run=edges,
    ),
)
