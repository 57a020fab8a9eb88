"""Refuse a file whose SHA-256 is not the one expected: `verify_sha256.py FILE HEX`.

The name of an artefact says where it was asked for; only its hash says what came. Exit 0 and no
output when they agree, 2 and one line when they do not or the file is absent.
"""

import hashlib
import sys
from pathlib import Path


def main(path: str, expected: str) -> int:
    """Compare the SHA-256 of the file at `path` with `expected` (64 hex digits, lower case)."""
    file = Path(path)
    if not file.is_file():
        sys.stderr.write(f"{path}: no such file; expected one with SHA-256 {expected}\n")
        return 2
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != expected:
        sys.stderr.write(f"{path}: SHA-256 is {found}, expected {expected}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
