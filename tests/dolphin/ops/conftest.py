"""Sessions of tests are entered in a folder of their own, which no session of this machine uses.

Whoever runs the tests may ignore signals (``nohup``, a shell's ``&``); a run then ignores them too,
on purpose. Tests send signals, so what they start begins as from a terminal.

Not here: the sessions.
"""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dolphin.ops.endings import SIGNALS
from dolphin.ops.registry import HOME_VARIABLE


@pytest.fixture(autouse=True)
def signals_as_from_a_terminal() -> Iterator[None]:
    """Let what a test starts inherit no ignored signal; give back what was."""
    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one, what in before.items():
        if what == signal.SIG_IGN:
            signal.signal(one, signal.SIG_DFL)
    yield
    for one, what in before.items():
        signal.signal(one, what)


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enter this test's sessions in a folder with a short path: sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="dolphin-test-"))
    monkeypatch.setenv(HOME_VARIABLE, str(folder / "home"))
    yield
    shutil.rmtree(folder)
