"""Notes beside the events: the operator's name and reason, as text.

Rules of this file:

*   A note is a flat object of texts and integers, in canonical JSON, with a ``kind``.
*   Of kind "operator" it says who acted and why; the numbers in the next event must be the ones
    that stand for these words (``checksums.number_of``), or the journal is not intact.
*   No verdict of the kernel rests on a note.
"""

import json
from typing import Any

from traces.codec import Malformed, canonical

OPERATOR = "operator"


def note_data(body: bytes) -> dict[str, Any]:
    """Return a note's data; raises ``Malformed``."""
    try:
        data = json.loads(body)
    except ValueError:
        raise Malformed("a note that is not JSON") from None
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise Malformed("a note without a kind")
    if any(type(value) not in (str, int) for value in data.values()):
        raise Malformed("a note holds texts and integers alone")
    if canonical(data) != body:
        raise Malformed("a note that is not canonical JSON")
    return data


def operator_words(body: bytes) -> tuple[str, str] | None:
    """Return who and why where the note is an operator's, else None; raises ``Malformed``."""
    data = note_data(body)
    if data["kind"] != OPERATOR:
        return None
    who, why = data.get("who"), data.get("why")
    if not isinstance(who, str) or not isinstance(why, str):
        raise Malformed("an operator's note without who and why")
    return who, why
