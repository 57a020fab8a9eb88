"""The kernel's contracts in tests: icontract's conditions behind a wrapper that only calls them.

icontract binds every call's arguments to names by the signature, which took nine tenths of a step
with its inner contracts on. The conditions, their order and what a violation says are the same.

Rules of this file:

*   ``install`` puts the two classes in place of the four decorators of ``kernel/contracts.py``, in
    this process, before any other module of the kernel is read.
*   The wrapper decides one thing: that every condition holds. Where one does not, icontract is
    called with the same arguments and judges: it asks again, and raises what it raises.
*   icontract's own attributes stand on the wrapper, so that who reads contracts finds them.
*   A contract that is asked while it is being asked is not asked again, as icontract has it.

Not here: what production runs (``kernel/contracts.py``), and that both give the same verdicts
(``tests/kernel/test_contracts.py``).
"""

import importlib
import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any, cast

import icontract

WRAPPER = "<lean contracts>"  # the file name of the wrappers' code

type Function = Callable[..., Any]


def lean[F: Function](judged: F) -> F:
    """Return a lean wrapper of the function under icontract's checker ``judged``."""
    bare = inspect.unwrap(judged)
    checker: Any = judged
    names = ", ".join(inspect.signature(bare).parameters)
    space: dict[str, Any] = {"bare": bare, "judged": judged, "asked": [False]}
    lines = {"before": [""], "after": [""]}
    before = [each for group in checker.__preconditions__ for each in group]
    for when, contracts in (("before", before), ("after", checker.__postconditions__)):
        for number, each in enumerate(contracts):
            name = f"{when}{number}"
            space[name] = each.condition
            given = ", ".join(f"{one}={one}" for one in each.condition_args)
            lines[when].append(f"if not {name}({given}): return judged({names})")
    indent = "\n        "
    text = (
        f"def checked({names}):\n"
        f"    if asked[0]: return bare({names})\n"
        f"    asked[0] = True\n"
        f"    try:"
        f"{indent.join(lines['before'])}"
        f"{indent}result = bare({names})"
        f"{indent.join(lines['after'])}"
        f"{indent}return result\n"
        f"    finally: asked[0] = False\n"
    )
    exec(compile(text, WRAPPER, "exec"), space)
    # The attributes of icontract's checker come along; __wrapped__ is the bare function, as there.
    checked: Any = update_wrapper(space["checked"], checker)
    checked.__wrapped__ = bare
    checked.judged = judged
    return cast(F, checked)


def judged_of[F: Function](function: F) -> F:
    """Return icontract's checker behind a lean wrapper; any other function as it is."""
    return cast(F, getattr(function, "judged", function))


class Required(icontract.require):
    """``icontract.require``, lean."""

    def __call__[F: Function](self, func: F) -> F:
        """Return the function with one more precondition."""
        return lean(super().__call__(judged_of(func))) if self.enabled else func


class Ensured(icontract.ensure):
    """``icontract.ensure``, lean."""

    def __call__[F: Function](self, func: F) -> F:
        """Return the function with one more postcondition."""
        return lean(super().__call__(judged_of(func))) if self.enabled else func


def install() -> None:
    """Have the kernel's modules decorate with the lean classes from here on."""
    contracts: Any = importlib.import_module("kernel.contracts")
    contracts.require = contracts.require_part = partial(Required, enabled=True)
    contracts.ensure = contracts.ensure_part = partial(Ensured, enabled=True)
