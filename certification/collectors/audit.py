"""Claims about the journal, from what ``dolphin audit --json`` said of it.

Rules of this file:

*   Three questions decide the session: intact, replayed, conformant. Authenticity needs a key and
    decides the package alone.
*   An audit speaks for a journal only by its SHA-256: one of another journal does not count.
*   A field in words that are not understood is "not run".

Not here: auditing (``dolphin audit``).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from certification.artefacts import Inputs
from certification.claims import (
    AUDIT,
    DOES_NOT_HOLD,
    HOLDS,
    PACKAGE,
    SESSION,
    Claim,
    claim_over,
)


def _outcome(value: object, journals: int) -> bool | None:
    """Return what an audit's field says: true, false, a count of journals, or words."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value == journals and journals > 0
    if isinstance(value, Mapping):
        return _outcome(value.get("ok"), journals)
    if isinstance(value, str) and value in ("holds", "yes", "authentic", "intact", "conformant"):
        return True
    if isinstance(value, str) and value in ("does not hold", "no", "forged", "rejected"):
        return False
    return None


def audited_digests(audit: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every SHA-256 that an audit names among its journals."""
    found: list[str] = []
    for key in ("journals", "files", "inputs"):
        rows = audit.get(key)
        if isinstance(rows, Mapping):
            rows = list(rows.values())
        for row in rows if isinstance(rows, list) else []:
            digest = row.get("sha256") if isinstance(row, Mapping) else row
            if isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest):
                found.append(digest)
    return tuple(found)


_WORDS_OF = {
    "intact": "fault",
    "replayed": "replay",
    "conformant": "conformance",
    "authentic": "authenticity",
}


def _words(audit: Mapping[str, Any], digest: str, key: str) -> str:
    """Return what the audit says in words of one answer about the journal with this hash."""
    rows = audit.get("journals")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and row.get("sha256") == digest:
            return str(row.get(_WORDS_OF[key]) or "")
    value = audit.get(key)
    return value if isinstance(value, str) else ""


def audit_claims(inputs: Inputs) -> list[Claim]:
    file, audit = inputs.audit_file, inputs.audit
    rows = (
        (
            "AUD-INTACT",
            "intact",
            "The journal is intact: checksums, chain, no gap, closed",
            SESSION,
        ),
        (
            "AUD-REPLAYED",
            "replayed",
            "Replaying the journal through the kernel gives the same digests",
            SESSION,
        ),
        (
            "AUD-CONFORMANT",
            "conformant",
            "Every step in the journal is one that the TLA+ model allows",
            SESSION,
        ),
        ("AUD-AUTHENTIC", "authentic", "The journal's anchors carry the right keyed MAC", PACKAGE),
    )
    same_text = "The audit judged the journal that lies in this folder"
    if audit is None:
        why = (
            "not the file that the session recorded" if file.present else f"{file.short} is missing"
        )
        state = False if file.present else None
        return [
            *(
                claim_over(name, text, state, file, AUDIT, scope, why)
                for name, _, text, scope in rows
            ),
            claim_over("AUD-JOURNAL", same_text, state, file, AUDIT, SESSION, why),
        ]
    journals = audit.get("journals")
    number = journals if isinstance(journals, int) else len(journals or [1])
    rejection = audit.get("rejection")
    claims = []
    for name, key, text, scope in rows:
        held = _outcome(audit.get(key), number)
        detail = _words(audit, inputs.journal_file.sha256, key)
        if held is False and key in ("replayed", "conformant") and rejection:
            detail = (rejection_text(rejection).splitlines() or ["rejected"])[0]
        if held is None and not detail:
            detail = "authenticity not checked" if key == "authentic" else "the audit does not say"
        claims.append(claim_over(name, text, held, file, AUDIT, scope, detail))
    whole = all(claim.status == HOLDS for claim in claims if claim.scope == SESSION)
    if whole and not audit["ok"]:
        claims[2] = replace(claims[2], status=DOES_NOT_HOLD, detail="the audit as a whole says no")
    digests = audited_digests(audit)
    same: bool | None = None
    detail = "the audit names no journal by its hash"
    if digests:
        same = inputs.journal_file.present and inputs.journal_file.sha256 in digests
        detail = "" if same else "the audit is of another journal"
    claims.append(claim_over("AUD-JOURNAL", same_text, same, file, AUDIT, SESSION, detail))
    return claims


def rejection_text(rejection: object) -> str:
    """Return an audit's rejection in words: its own text, else its fields on one line."""
    if isinstance(rejection, Mapping):
        if isinstance(rejection.get("text"), str) and rejection["text"]:
            return str(rejection["text"])
        words = [
            f"{key}: {value}" for key, value in rejection.items() if isinstance(value, str | int)
        ]
        return ", ".join(words) or "rejected"
    return str(rejection) or "rejected"
