"""The kernel's constants have a passing model run on record, of the models as they are.

Rules of this file:

*   The same question as the kernel's process asks at its start (``traces/constants.py``), and one
    more: whether the models have changed since the run on record.

Not here: making the record (``dolphin check --record``).
"""

from traces.constants import COMMAND, Unrecorded, recorded
from verify.inputs import files_of
from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, Context, Item, Outcome
from verify.models.record import models_digest


def run(context: Context) -> Outcome:
    """Compare the record with the constants and the models at hand."""
    path = context.root / "kernel" / "constants.json"
    try:
        entry = recorded(path)
    except Unrecorded as error:
        return Outcome(DOES_NOT_HOLD, "no passing model run on record", {}, (str(error),))
    if entry.models_sha256 != models_digest(context.root / "spec" / "tla"):
        finding = f"{path}: version {entry.version} was run with other models; {COMMAND}"
        return Outcome(DOES_NOT_HOLD, "the models changed since the run on record", {}, (finding,))
    figures = {
        "version": entry.version,
        "constants_sha256": entry.constants_sha256,
        "runs": entry.runs,
        "controls": entry.controls,
        "edges": entry.edges,
        "ran_at": entry.ran_at,
    }
    detail = (
        f"version {entry.version}: {entry.runs} runs, {entry.controls} controls, "
        f"{entry.edges:,} edges"
    )
    return Outcome(HOLDS, detail, figures)


ITEM = Item(
    name="constants",
    claim="The constants that run have a passing model run on record, with the models as they are",
    section="constants",
    inputs=files_of("constants"),
    seconds={FAST: 1.0, FULL: 1.0},
    run=run,
)
