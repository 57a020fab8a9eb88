"""The record of a passing model run, for the constants it ran with.

Rules of this file:

*   Nothing is recorded but a whole lane that held, controls included, and the replay of every edge
    of the models' graphs through the kernel with the numbers as they stand: the graphs are computed
    at real scale, so a changed number that the models do not share shows as an edge that differs.
*   The models are named by a hash over their text without comments and layout.

Not here: what the kernel's process does with the record (``traces/constants.py``).
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kernel.constants import CONSTANTS_VERSION
from traces.audit.tlatools import JAR_SHA256
from traces.constants import (
    RECORD,
    Entry,
    Unrecorded,
    constants_digest,
    read_entries,
    record_text,
    with_entry,
)
from traces.provenance import MODELS
from verify.models.checking import SPEC_FOLDER, Judged
from verify.models.edges import corpus, dumped
from verify.models.tla import tokens_of


def models_digest(folder: Path = SPEC_FOLDER) -> str:
    """Return the hash of the models, comments and layout apart."""
    digest = hashlib.sha256()
    for name in MODELS:
        text = (folder / f"{name}.tla").read_text(encoding="utf-8")
        words = " ".join(token.text for token in tokens_of(text, name))
        digest.update(f"{name}\0{words}\0".encode())
    return digest.hexdigest()


def known(path: Path = RECORD) -> tuple[Entry, ...]:
    """Return the record as it is; empty where there is none yet."""
    return read_entries(path) if path.exists() else ()


def record(judged: Sequence[Judged], path: Path = RECORD) -> Entry:
    """Replay every edge, then write the entry of these constants; raises ``Unrecorded``.

    ``judged`` are the rows of a whole lane, all of which held.
    """
    digest = constants_digest()
    entries = known(path)
    if not judged or not all(one.ok for one in judged):
        raise Unrecorded("nothing recorded: the model run does not hold")
    draft = Entry(CONSTANTS_VERSION, digest, "", "", 0, 0, 0, "", "")
    with_entry(entries, draft)  # a version that is taken is said before minutes of work
    text, _, mismatches = corpus(dumped())
    if mismatches:
        first = mismatches[0]
        raise Unrecorded(
            f"nothing recorded: {len(mismatches)} edges on which kernel and model differ, first "
            f"{first.move} {first.verdict}: {'; '.join(first.differences)}"
        )
    graphs = json.loads(text)["graphs"]
    fresh = Entry(
        version=CONSTANTS_VERSION,
        constants_sha256=digest,
        models_sha256=models_digest(),
        jar_sha256=JAR_SHA256,
        runs=len(judged),
        controls=sum(one.row.control for one in judged),
        edges=sum(graph["edges"] for graph in graphs),
        edges_sha256=hashlib.sha256(text.encode()).hexdigest(),
        ran_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    draft_path = path.with_name(path.name + ".draft")
    draft_path.write_text(record_text(with_entry(entries, fresh)), encoding="utf-8")
    draft_path.replace(path)
    return fresh
