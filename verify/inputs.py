"""What an item of verification reads, where that is the list in ``certification/inputs.toml``.

Rules of this file:

*   The list stands once. The certification hashes it to say whether a record, or a run of the
    tests, is of this source; verification takes the same list for the key of what it keeps.
*   It is data, read as such: verification imports nothing of whoever judges it.

Not here: lists of items that keep a result under more than what decides their record (each item's
own module; tests/verify/test_inputs.py holds that none has less).
"""

import tomllib
from pathlib import Path
from typing import cast

TABLE = Path(__file__).resolve().parents[1] / "certification" / "inputs.toml"


def files_of(item: str) -> tuple[str, ...]:
    """Return the glob patterns, below the project's folder, of the files that an item reads."""
    with TABLE.open("rb") as table:
        return tuple(cast(list[str], tomllib.load(table)["item"][item]["files"]))
