"""A journal's bytes from a file, whatever its form.

Rules of this file:

*   ``.ndjson`` is NDJSON, everything else is binary. Both come out as the same bytes, so there is
    one judge of them (``frames.scan``).
*   A journal is read into memory, never mapped: its writer may cut the file at any moment, and to
    touch a mapped page that is no longer there is a SIGBUS. What is judged is one copy.
*   What cannot be opened is a ``JournalCorrupt`` with ``Fault.UNREADABLE``, like every other fault.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traces.audit.ndjson import bytes_of_lines
from traces.frames import Fault, Finding, JournalCorrupt

NDJSON_SUFFIX = ".ndjson"


# JNL-040
def _unreadable(error: OSError) -> JournalCorrupt:
    return JournalCorrupt(Finding(Fault.UNREADABLE, -1, 0, f"cannot be read: {error.strerror}"))


@contextmanager
def opened(path: Path) -> Iterator[bytes]:
    """Yield the journal's binary bytes. Raises ``JournalCorrupt``."""
    try:
        if path.suffix == NDJSON_SUFFIX:
            with path.open("rb") as lines:
                data = bytes_of_lines(lines)
        else:
            data = path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from None
    yield data
