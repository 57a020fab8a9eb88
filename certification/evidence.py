"""``evidence.json``: the report for machines, canonical and reproducible.

Rules of this file:

*   Canonical: keys sorted, two spaces, UTF-8 as it is, one newline at the end, no floats, no
    clock. The same files give the same bytes, so the hash of this file stands for the whole
    package.
*   ``schema`` is raised whenever a field changes its meaning or goes away.
*   Every claim has its file's hash; every file read is listed with its hash and size.

Not here: what holds (``claims.py``), the page (``page.py``).
"""

import json
from dataclasses import asdict

from certification.annex_a import OBJECTIVES
from certification.appendix_b import CRITERIA
from certification.artefacts import Inputs
from certification.claims import Claim, verdicts
from certification.gaps import LABEL, gaps
from certification.standards import Row, assess

SCHEMA = 1


def _rows(rows: tuple[Row, ...], claims: tuple[Claim, ...]) -> list[dict[str, object]]:
    return [
        {
            "number": one.row.number,
            "title": one.row.title,
            "status": one.status,
            "claims": list(one.found),
            "open": list(one.open),
        }
        for one in assess(rows, claims)
    ]


def evidence(inputs: Inputs, claims: tuple[Claim, ...]) -> dict[str, object]:
    """Return the document: verdicts, claims, criteria, gaps, and every file with its hash."""
    said = verdicts(claims)
    return {
        "schema": SCHEMA,
        "label": LABEL,
        "run": str((inputs.session or {}).get("id", inputs.run_dir.name)),
        "verdict": {"session": said.session, "package": said.package},
        "counts": {
            "holds": said.holds,
            "does_not_hold": said.does_not_hold,
            "not_run": said.not_run,
        },
        "claims": [asdict(claim) for claim in claims],
        "gaps": [asdict(gap) for gap in gaps(inputs)],
        "annex_a": _rows(OBJECTIVES, claims),
        "appendix_b": _rows(CRITERIA, claims),
        "files": [
            {
                "name": ref.name,
                "sha256": ref.sha256,
                "size": ref.size,
                "recorded": ref.recorded,
                "tampered": ref.tampered,
            }
            for ref in inputs.files
        ],
    }


def canonical(document: dict[str, object]) -> str:
    """Return the canonical text of a document."""
    return (
        json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )
