"""Signals are noted once and acted on in order; what was ignored stays ignored."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dolphin.ops.endings import SIGNALS, Ended, Endings
from dolphin.ops.supervise import ROOT


@pytest.fixture(autouse=True)
def dispositions() -> Iterator[None]:
    """What the signals do in the test process, given back."""
    before = {one: signal.getsignal(one) for one in SIGNALS}
    yield
    for one, what in before.items():
        signal.signal(one, what)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_and_raised_where_it_is_asked_for(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    with Endings() as endings:
        endings.check()
        os.kill(os.getpid(), number)
        with pytest.raises(Ended, match=number.name):
            endings.check()
    assert signal.getsignal(number) == signal.SIG_DFL


def test_the_first_signal_counts_and_the_second_changes_nothing() -> None:
    acts: list[str] = []
    with Endings() as endings, endings.then(lambda: acts.append("end")):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert endings.asked == "SIGTERM"
    assert acts == ["end"]


def test_what_is_to_be_done_is_done_for_a_signal_that_came_before() -> None:
    acts: list[str] = []
    with Endings() as endings:
        os.kill(os.getpid(), signal.SIGTERM)
        with endings.then(lambda: acts.append("end")):
            pass
    assert acts == ["end"]


@pytest.mark.parametrize("number", SIGNALS)
def test_control_a_signal_that_was_ignored_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with Endings() as endings:
        os.kill(os.getpid(), number)
        endings.check()
    assert signal.getsignal(number) == signal.SIG_IGN


def test_after_a_hangup_what_was_a_terminal_can_still_be_written_to() -> None:
    """The terminal's other end is closed, as a closed window closes it."""
    text = """
import os, signal, sys
from dolphin.ops.endings import Endings
with Endings() as endings:
    print("ready", flush=True)
    while not endings.asked:
        signal.pause()
    print("into nothing", flush=True)
    sys.stderr.write("into nothing")
with open(sys.argv[1], "w") as file:
    file.write(endings.asked)
"""
    ours, theirs = os.openpty()
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", text, f"/proc/self/fd/{write}"],
        stdin=theirs, stdout=theirs, stderr=theirs, pass_fds=(write,), start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(theirs)
    os.close(write)
    assert os.read(ours, 100).startswith(b"ready")
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert os.read(read, 100) == b"SIGHUP"
    os.close(read)
