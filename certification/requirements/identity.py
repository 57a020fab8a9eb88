"""Hashes: of the catalogue, and of everything that an outcome of a test rests on.

Rules of this file: the standard library alone, so that pytest's plugin may use it before anything
of the project is imported or measured.

Not here: what the tables mean (``catalogue.py``).
"""

import hashlib
import tomllib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
DEFAULTS = "defaults"
# What a test's outcome can depend on. Pages are not here: tests/tidy reads them, and carries no
# requirement.
SOURCES = ("kernel", "traces", "dolphin", "verify", "certification", "spec", "tests")
SUFFIXES = frozenset(
    (".py", ".toml", ".tla", ".cfg", ".json", ".txt", ".journal", ".ndjson", ".v", ".ml")
)


def tables(folder: Path = FOLDER) -> list[Path]:
    """Return the files of the catalogue, in order of their names."""
    return sorted(folder.glob("*.toml"))


@cache
def known_ids() -> frozenset[str]:
    """Return the ids of all requirements. Raises ``tomllib.TOMLDecodeError``."""
    return frozenset(
        name
        for path in tables()
        for name in tomllib.loads(path.read_text(encoding="utf-8"))
        if name != DEFAULTS
    )


def _digest(paths: list[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def catalogue_hash(folder: Path = FOLDER) -> str:
    """Return one hash over names and bytes of the catalogue's files."""
    return _digest(tables(folder), folder)


def sources_hash(root: Path = ROOT) -> str:
    """Return one hash over names and bytes of all sources below ``root``."""
    found = [
        path
        for folder in SOURCES
        for path in (root / folder).rglob("*")
        if path.suffix in SUFFIXES and path.is_file() and "__pycache__" not in path.parts
    ]
    return _digest(sorted(found), root)
