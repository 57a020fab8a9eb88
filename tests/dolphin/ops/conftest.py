"""Sessions of tests are entered in a folder of their own, which no session of this machine uses.

Not here: the sessions.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dolphin.ops.registry import HOME_VARIABLE


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enter this test's sessions in a folder with a short path: sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="dolphin-test-"))
    monkeypatch.setenv(HOME_VARIABLE, str(folder / "home"))
    yield
    shutil.rmtree(folder)
