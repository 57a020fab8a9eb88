"""A journal's bytes from a file, whatever its form.

Rules of this file:

*   ``.ndjson`` is NDJSON, everything else is binary. Both come out as the same bytes, so there is
    one judge of them (``frames.scan``).
*   A binary journal is mapped, not read: a long one need not fit in memory.
*   What cannot be opened is a ``Broken`` with ``Fault.UNREADABLE``, like every other fault.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path

from traces.frames import Broken, Data, Fault, Finding
from traces.ndjson import bytes_of_lines

NDJSON_SUFFIX = ".ndjson"


@contextmanager
def opened(path: Path) -> Iterator[Data]:
    """Yield the journal's binary bytes. Raises ``Broken``."""
    try:
        if path.suffix == NDJSON_SUFFIX:
            with path.open("rb") as lines:
                yield bytes_of_lines(lines)
            return
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                yield b""
                return
            with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                yield data
    except OSError as error:
        text = f"cannot be read: {error.strerror or error}"
        raise Broken(Finding(Fault.UNREADABLE, -1, 0, text)) from None
