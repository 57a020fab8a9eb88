"""Which version wrote a journal: hashes of the kernel, the models and the constants.

Rules of this file:

*   A hash is over file names and contents, in order of the names. A changed comment is a changed
    version: the audit judges a journal by the version that wrote it and compares nothing vaguer.
*   What is not installed (the models, outside a source tree) hashes to "absent", and the audit then
    says that the third answer was not run.

Not here: the session's data, the report's inputs (``dolphin``, ``certification``).
"""

import hashlib
import subprocess
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import kernel

KERNEL_FOLDER: Final = Path(kernel.__file__).resolve().parent
ROOT: Final = KERNEL_FOLDER.parent
SPEC_FOLDER: Final = ROOT / "spec" / "tla"

# What a record is judged by. MC* and SIM* modules ask other questions of the same text, and
# TraceKernel only reads rows: what the system may do does not stand there.
MODELS: Final[tuple[str, ...]] = (
    "Fixed",
    "Money",
    "KillSwitch",
    "Survival",
    "Posture",
    "Ledger",
    "Gate",
    "Kernel",
)
CONSTANTS: Final[tuple[str, ...]] = ("constants.py", "curves.py")
ABSENT: Final[str] = "absent"


# AUD-007
def hash_files(paths: Iterable[Path]) -> str:
    """Return the BLAKE2b-128 over names and contents, hex; "absent" if there is no file at all."""
    whole = hashlib.blake2b(digest_size=16)
    found = False
    for path in sorted(paths, key=lambda one: one.name):
        content = path.read_bytes()
        whole.update(f"{path.name}\0{len(content)}\0".encode() + content)
        found = True
    return whole.hexdigest() if found else ABSENT


@lru_cache(maxsize=1)
def kernel_hash() -> str:
    """Return the hash of the kernel's sources."""
    return hash_files(KERNEL_FOLDER.rglob("*.py"))


@lru_cache(maxsize=1)
def constants_hash() -> str:
    """Return the hash of the kernel's numbers and curves."""
    return hash_files(KERNEL_FOLDER / name for name in CONSTANTS)


@lru_cache(maxsize=1)
def spec_hash() -> str:
    """Return the hash of the models that judge a record."""
    paths = (SPEC_FOLDER / f"{name}.tla" for name in MODELS)
    return hash_files(path for path in paths if path.is_file())


# JNL-044
@lru_cache(maxsize=1)
def writer_version() -> str:
    """Return the distribution's version, and the commit in a source tree that has one."""
    try:
        name = version("dolphin-nautilus")
    except PackageNotFoundError:
        name = "0"
    try:
        commit = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"],
            capture_output=True, text=True, timeout=10, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return name
    return f"{name}+{commit}"
