"""What a process does first, on machines that allow it and on one that does not.

Theory. A machine that refuses a measure is made with a seccomp filter in a child: the call in
question answers EPERM, from the machine and not from a stand-in. The parent that dies between two
looks is killed by an audit hook of the child, at the one call that lies between them.

Not here: that the kernel's process really dies with its parent (tests/dolphin/shell).
"""

import json
import platform
import signal
import subprocess
import sys
from typing import Any

import pytest

from dolphin.link.process import (
    MCL_CURRENT,
    MCL_FUTURE,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    Measure,
    measures,
)

pytestmark = pytest.mark.children

# Numbers of the system calls by machine: prctl and mlockall.
CALLS = {"x86_64": (157, 151), "aarch64": (167, 230)}
EPERM = 1
ANSWER = """
import ctypes, struct
def answer(number, errno):
    # Load the call's number; where it is this one, answer ``errno`` (0: done); else let it pass.
    code = b"".join(struct.pack("HBBI", *one) for one in (
        (0x20, 0, 0, 0), (0x15, 0, 1, number),
        (0x06, 0, 0, 0x00050000 | errno), (0x06, 0, 0, 0x7FFF0000)))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0
"""
TELL = """
import json
from dolphin.link.process import harden, measures, die_with_parent
found = measures([die_with_parent(), *harden()])
import gc
print(json.dumps([found, gc.isenabled(), gc.get_freeze_count() > 0]))
"""


def child(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


def told(first: str = "") -> dict[str, dict[str, Any]]:
    """Return what a child says of its measures, by name."""
    done = child(first + TELL)
    assert done.returncode == 0, done.stderr
    found, collects, frozen = json.loads(done.stdout)
    assert (collects, frozen) == (False, True)
    return {one["measure"]: one for one in found}


def answered(which: int, errno: int) -> dict[str, dict[str, Any]]:
    """Return what a child says on a machine that gives this answer to one call."""
    numbers = CALLS.get(platform.machine())
    if numbers is None:
        pytest.skip(f"{platform.machine()}: the numbers of its system calls are not in the table")
    return told(ANSWER + f"answer({numbers[which]}, {errno})\n")


@pytest.mark.req("LNK-018")
def test_what_this_machine_allows_is_reported_as_held() -> None:
    found = told()
    assert found["dies with its parent"]["held"] is True
    assert found["memory unreadable for this user's other processes"]["held"] is True
    assert found["no garbage collection"]["held"] is True


@pytest.mark.req("LNK-018")
def test_memory_that_is_locked_is_reported_with_the_call_alone() -> None:
    """Where this user may not lock memory, the machine is one that says it is locked."""
    found = told()["memory locked"]
    if not found["held"]:
        found = answered(1, 0)["memory locked"]
    assert (found["held"], found["detail"]) == (True, "mlockall")


@pytest.mark.req("LNK-018")
def test_a_machine_that_refuses_prctl_is_reported_and_not_assumed() -> None:
    found = answered(0, EPERM)
    assert found["dies with its parent"]["held"] is False
    assert found["memory unreadable for this user's other processes"]["held"] is False


@pytest.mark.req("LNK-018")
def test_a_machine_that_refuses_to_lock_memory_is_reported_with_its_reason() -> None:
    found = answered(1, EPERM)
    assert found["memory locked"] == {
        "measure": "memory locked",
        "held": False,
        "detail": "mlockall: Operation not permitted",
    }


@pytest.mark.req("LNK-019")
def test_who_finds_its_parent_dead_leaves_at_once() -> None:
    orphan = """
import os, signal, sys
parent = os.getppid()
def hook(event, arguments):
    # The one call between the two looks: prctl is looked up in the machine's library.
    if event == "ctypes.dlsym" and arguments[1] == "prctl":
        os.kill(parent, signal.SIGKILL)
        while os.getppid() == parent:
            pass
sys.addaudithook(hook)
from dolphin.link.process import die_with_parent
die_with_parent()
print("and goes on")
"""
    middle = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {orphan!r}])\n"
    done = child(middle)
    assert done.returncode == -signal.SIGKILL
    assert done.stderr.splitlines() == ["the parent died while this process started"]
    assert done.stdout == ""


@pytest.mark.req("LNK-018")
def test_measures_are_plain_data() -> None:
    assert measures([Measure("a", True, "b")]) == [{"measure": "a", "held": True, "detail": "b"}]


# --- what ``die_with_parent`` and ``harden`` ask of the machine ----------------------------------
#
# The machine is one that grants the calls of the manual pages and no other: a seccomp filter
# in a child looks at every argument that the call has and answers EPERM where one is different.
# Whether a measure is held then says whether it was asked for rightly.


Row = tuple[int, int, int, int]
Field = tuple[int, int]  # where it lies in a call's description, and its value

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
INSTALL = """
import ctypes, struct
code = b"".join(struct.pack("HBBI", *one) for one in ROWS)
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", len(ROWS), ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0
"""


def argument(number: int, value: int) -> Field:
    """Return a field: the lower half of a call's argument, on a machine of little end first."""
    return (16 + 8 * number, value)


def demand(call: list[Field], arguments: list[Field], granted: int) -> list[Row]:
    """Return filter rows that grant ``call`` with these arguments alone, and pass other calls."""
    rows: list[Row] = []
    end = 2 * (len(call) + len(arguments)) + 2
    for where, target in ((call, end), (arguments, end - 1)):
        for offset, value in where:
            rows += [(LOAD, 0, 0, offset), (EQUAL, 0, target - len(rows) - 2, value)]
    return [*rows, (RETURN, 0, 0, granted), (RETURN, 0, 0, ERRNO | EPERM)]


@pytest.mark.req("LNK-018")
def test_tether_and_harden_ask_for_what_the_manual_says_and_report_it_in_full() -> None:
    numbers = CALLS.get(platform.machine())
    if numbers is None:
        pytest.skip(f"{platform.machine()}: the numbers of its system calls are not in the table")
    prctl, mlockall = ((0, number) for number in numbers)
    rows = [
        *demand([prctl, argument(0, 1)], [argument(1, signal.SIGKILL)], ALLOW),
        *demand([prctl, argument(0, 4)], [argument(1, 0)], ALLOW),
        # Whether this user may lock as much is not the question: who asks rightly is told yes.
        *demand([mlockall], [argument(0, 1 | 2)], ERRNO),
        (RETURN, 0, 0, ALLOW),
    ]
    done = child(f"ROWS = {[tuple(map(int, row)) for row in rows]}" + INSTALL + TELL)
    assert done.returncode == 0, done.stderr
    found, collects, frozen = json.loads(done.stdout)
    assert [(one["measure"], one["held"], one["detail"]) for one in found] == [
        ("dies with its parent", True, "PR_SET_PDEATHSIG"),
        ("memory unreadable for this user's other processes", True, "PR_SET_DUMPABLE 0"),
        ("memory locked", True, "mlockall"),
        ("no garbage collection", True, "gc frozen and disabled"),
    ]
    assert (collects, frozen) == (False, True)


@pytest.mark.req("LNK-018")
def test_the_machines_numbers_are_those_of_its_headers() -> None:
    """<linux/prctl.h>, <bits/mman-linux.h>."""
    assert (PR_SET_PDEATHSIG, PR_SET_DUMPABLE) == (1, 4)
    assert (MCL_CURRENT, MCL_FUTURE) == (1, 2)
