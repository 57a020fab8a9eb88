"""What asks a run to end: Ctrl-C, SIGTERM (a service manager, a container's stop), SIGHUP.

Rules of this file:

*   A signal is noted and nothing else: the runner asks (``check``) where it can end in order. So no
    exception comes out of the middle of a cleanup, and a second signal changes nothing.
*   A signal that was ignored when the run began stays ignored: that is what ``nohup`` and a shell's
    ``&`` ask for.
*   After SIGHUP the terminal is gone and writing to it fails; what was a terminal becomes
    ``/dev/null``, so that the run can still close its journal and write its account.

Not here: what an end is made of (``session``).
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(Exception):
    """The run was asked to end; the message is the signal's name."""


def _nothing() -> None:
    """Do nothing."""


class Endings:
    """A context in which the three signals are noted. ``asked`` is the first one's name."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self.asked = ""
        self._then: Callable[[], None] = _nothing
        self._terminals: list[int] = []
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None]
        self._before = {}

    def __enter__(self) -> Self:
        """Begin to note signals."""
        self._terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]
        for one in SIGNALS:
            before = signal.getsignal(one)
            if before != signal.SIG_IGN:
                self._before[one] = before
                signal.signal(one, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Give each signal back what it did before."""
        for one, before in self._before.items():
            signal.signal(one, before)
        self._before.clear()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            for descriptor in self._terminals:
                os.dup2(nowhere, descriptor)
            os.close(nowhere)
        if not self.asked:
            self.asked = signal.Signals(number).name
            self._then()

    def check(self) -> None:
        """Raise ``Ended`` where the run was asked to end."""
        if self.asked:
            raise Ended(self.asked)

    @contextmanager
    def then(self, act: Callable[[], None]) -> Iterator[None]:
        """Have ``act`` done at once when a signal comes while the context lasts, or came before."""
        self._then = act
        try:
            if self.asked:
                act()
            yield
        finally:
            self._then = _nothing
