"""A journal's bytes from its file.

Rules of this file:

*   A journal is read into memory, never mapped: its writer may cut the file at any moment, and to
    touch a mapped page that is no longer there is a SIGBUS. What is judged is one copy.
*   What cannot be opened is a ``JournalCorrupt`` with ``Fault.UNREADABLE``, like every other fault.

Not here: what the bytes say (``frames``), journals as lines of JSON (``audit.ndjson``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traces.frames import Fault, Finding, JournalCorrupt


# JNL-040
def unreadable(error: OSError) -> JournalCorrupt:
    """Return the fault of a file that cannot be read."""
    return JournalCorrupt(Finding(Fault.UNREADABLE, -1, 0, f"cannot be read: {error.strerror}"))


# JNL-046
@contextmanager
def opened(path: Path) -> Iterator[bytes]:
    """Yield the journal's bytes. Raises ``JournalCorrupt``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(error) from None
    except (MemoryError, OverflowError):
        text = "cannot be read: larger than this machine's memory"
        raise JournalCorrupt(Finding(Fault.UNREADABLE, -1, 0, text)) from None
    yield data
