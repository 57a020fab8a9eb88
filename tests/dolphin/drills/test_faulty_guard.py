"""The faulty guard: sends one wrong message when asked to, and is the guard in all else.

Not here: the guard's own judgement and loop (``tests/dolphin/guard``).
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from dolphin.drills.faulty_guard import FAULTS, FaultyGuard
from dolphin.drills.messages import DrillGuard
from dolphin.guard.guard import Guard
from dolphin.link.messages import Accepted, CloseOrder, ConfirmFence, Refused
from tests.dolphin.guard.test_guard import HELLO, KEY
from tests.dolphin.guard.test_guard_loop import FORGED, Stage
from tests.dolphin.shell.test_process import config_in


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A faulty guard that has its kernel and its venue, and has been greeted."""
    sockets = tempfile.mkdtemp(prefix="dolphin-test-")
    made = Stage(config_in(tmp_path, sockets), FaultyGuard)
    made.raise_up("kernel", "venue")
    made.ends["kernel"].send(HELLO)
    made.until(lambda: made.loop.guard.epoch == HELLO.epoch)
    yield made
    shutil.rmtree(sockets)


def test_the_runner_asks_for_a_fault_by_its_name(stage: Stage) -> None:
    runner = stage.client("runner")
    assert stage.ask(runner, DrillGuard(name="close_nothing", id=1)) == Accepted(id=1)
    assert stage.hears("kernel", CloseOrder).worker == 1
    assert stage.ask(runner, DrillGuard(name="stale_fence", id=2)) == Accepted(id=2)
    assert stage.hears("kernel", ConfirmFence).epoch == HELLO.epoch - 1


def test_what_is_no_fault_is_refused(stage: Stage) -> None:
    runner = stage.client("runner")
    assert stage.ask(runner, DrillGuard(name="earthquake")) == Refused(reason="NO_SUCH_DRILL")
    assert stage.ask(runner, FORGED) == Refused(reason="NO_SUCH_DRILL")


def test_control_a_worker_is_judged_as_by_the_guard(stage: Stage) -> None:
    assert stage.ask(stage.client("prober"), FORGED) == Refused(reason="FORGED")


@pytest.mark.parametrize(("epoch", "stale"), [(None, 0), (0, 0), (1, 0), (2, 1)])
def test_a_stale_fence_names_the_epoch_before_and_none_below_zero(
    epoch: int | None, stale: int
) -> None:
    guard = Guard(KEY)
    if epoch is not None:
        guard.on_kernel(replace(HELLO, epoch=epoch))
    assert FAULTS["stale_fence"](guard) == ConfirmFence(epoch=stale)
    assert FAULTS["close_nothing"](guard) == CloseOrder(worker=1)
