"""A store of outcomes, by the hash of their inputs.

Rules of this file:

*   A key is a hash of inputs; a value is one JSON document. A changed input is another key, so
    nothing stale is ever read, and nothing needs to be thrown away.
*   Written beside the name and renamed: a run that is killed leaves the old or the new.
*   What cannot be read counts as absent.

Not here: which inputs (``item.py`` and the items).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def sha256_of_files(root: Path, patterns: Iterable[str]) -> str:
    """Return one hash over names and bytes of all files that match, sorted by name."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    digest = hashlib.sha256()
    for path in sorted(found):
        if "__pycache__" in path.parts:
            continue
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def key_of(*parts: object) -> str:
    """Return a key for parts that ``json`` can write."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Store:
    """A folder of JSON documents by key."""

    folder: Path

    def get(self, key: str) -> Any | None:
        """Return the document under the key, None where there is none that can be read."""
        try:
            return json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, key: str, document: Any) -> None:
        """Keep a document."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{key}.{id(document)}.draft"
        draft.write_text(json.dumps(document, sort_keys=True), encoding="utf-8")
        draft.replace(self.folder / f"{key}.json")

    @classmethod
    def of(cls, root: Path) -> "Store":
        """Return the store of a project, which ``dolphin verify`` fills."""
        return cls(root / ".cache" / "verify")

    def below(self, name: str) -> "Store":
        """Return the store in the subfolder ``name``."""
        return Store(self.folder / name)
