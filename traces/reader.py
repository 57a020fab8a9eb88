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


# JNL-040
def _unreadable(error: OSError) -> Broken:
    return Broken(Finding(Fault.UNREADABLE, -1, 0, f"cannot be read: {error.strerror}"))


def _mapped(path: Path) -> Data:
    """Return the file's bytes, mapped; an empty file cannot be, and is empty bytes."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap(file.fileno(), 0, access=ACCESS_READ)


@contextmanager
def opened(path: Path) -> Iterator[Data]:
    """Yield the journal's binary bytes. Raises ``Broken``."""
    try:
        if path.suffix == NDJSON_SUFFIX:
            with path.open("rb") as lines:
                data: Data = bytes_of_lines(lines)
        else:
            data = _mapped(path)
    except OSError as error:
        raise _unreadable(error) from None
    try:
        yield data
    finally:
        if isinstance(data, mmap):
            data.close()
