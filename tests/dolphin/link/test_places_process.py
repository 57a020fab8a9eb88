"""What ``die_with_parent`` and ``harden`` ask of the machine, and what they say of the answer.

Theory. The machine is one that grants the calls of the manual pages and no other: a seccomp filter
in a child looks at every argument that the call has and answers EPERM where one is different.
Whether a measure is held then says whether it was asked for rightly.

Not here: machines that refuse a measure, and parents that die (``test_process``).
"""

import json
import platform
import signal

import pytest

from dolphin.link.process import MCL_CURRENT, MCL_FUTURE, PR_SET_DUMPABLE, PR_SET_PDEATHSIG
from tests.dolphin.link.test_process import CALLS, EPERM, TELL, child

pytestmark = pytest.mark.children

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
