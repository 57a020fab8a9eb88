"""Output files that a user names: written whole or not at all, never over an existing one.

Rules of this file:

*   An output never replaces what is there, be it a file, a folder, or a link that leads nowhere.
    The operating system decides it (``O_EXCL``), so no other process can come between look and
    write.
*   What could not be written to its end is removed again: only the file that this call made.
*   ``expect_new`` looks before long work begins, so that a refusal costs no time. It promises
    nothing; the write decides.
*   A refusal is one line, ``OutputRefused``; the command ends with exit code 2.

Not here: what a command keeps for itself below ``runs/`` and ``build/`` (stores, caches, its own
records), which it may replace.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

__all__ = ["OutputRefused", "expect_new", "new_text_file", "write_new"]


class OutputRefused(Exception):
    """An output that cannot be written. ``str`` is one line: path, reason, what was expected."""


def _there(path: Path) -> OutputRefused:
    return OutputRefused(f"{path}: is there already and is not replaced; expected a new path")


def _reason(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"the folder {path.parent} does not exist; expected one"
    return f"cannot be written: {getattr(error, 'strerror', None) or error}"


def expect_new(path: Path) -> None:
    """Raise ``OutputRefused`` where ``path`` exists, or its folder cannot take a new file."""
    try:
        if os.path.lexists(path):
            raise _there(path)
        path.parent.stat()
    except (OSError, ValueError) as error:
        raise OutputRefused(f"{path}: {_reason(path, error)}") from None
    if not path.parent.is_dir():
        raise OutputRefused(f"{path}: {path.parent} is not a folder; expected one")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputRefused(f"{path}: cannot be written: no permission in {path.parent}")


@contextmanager
def new_text_file(path: Path) -> Iterator[TextIO]:
    """Make ``path`` and yield it for writing UTF-8 text with line feeds.

    Raises ``OutputRefused`` where it exists or cannot be written. After any other exception inside,
    the file is removed and the exception goes on.
    """
    try:
        sink = path.open("x", encoding="utf-8", newline="\n")
    except FileExistsError:
        raise _there(path) from None
    except (OSError, ValueError) as error:
        raise OutputRefused(f"{path}: {_reason(path, error)}") from None
    try:
        with sink:
            yield sink
            sink.flush()
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputRefused(f"{path}: {_reason(path, error)}") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write_new(path: Path, text: str) -> None:
    """Write ``text`` to a new file. Raises ``OutputRefused``."""
    with new_text_file(path) as sink:
        sink.write(text)
