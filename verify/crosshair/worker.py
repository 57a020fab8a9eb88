"""One function of the kernel, by CrossHair: a process of its own, one JSON document out.

    python -m verify.crosshair.worker kernel.ledger moved 8

Rules of this file:

*   The contract that is checked is the shipped one: the very lambdas, in the order they stand.
*   Only the function asked for carries its contract as icontract. Contracted calls inside
    contracted calls overflow CrossHair's stack, so of every other function only the preconditions
    remain, each a plain test in front that raises ``CallerBroke``. Their postconditions are checked
    in their turn.
*   ``kernel.contracts`` is changed in this process, before any module of the kernel is read; the
    files are not. What CrossHair then sees is counted and told, so that a condition which it does
    not see is no silent pass.
*   CrossHair would take a path for every member of every enumeration in a state: 4^8 for the
    permits alone. Here such a field is a whole number within the enumeration's values. The kernel
    compares members with ``==`` and ``<``, and indexes by ``int``, never by identity.
*   Processor time bounds the search, not the clock: a busy machine finds the same.

Not here: which functions (``conditions.py``), what a result means (``report.py``).
"""

import collections
import importlib
import inspect
import json
import sys
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import icontract
from crosshair import core
from crosshair.core import ConditionCheckable
from crosshair.core_and_libs import NoTracing, analyze_function
from crosshair.libimpl.builtinslib import SymbolicInt
from crosshair.options import AnalysisKind, AnalysisOptionSet
from crosshair.statespace import context_statespace

import kernel.contracts

Function = Callable[..., Any]


class CallerBroke(Exception):
    """A function was called outside its precondition; the message names it and the condition."""


def offset(condition: Function, function: Function) -> int:
    """Return how many lines below the function's first decorator the condition's lambda stands."""
    first: int = inspect.unwrap(function).__code__.co_firstlineno
    return condition.__code__.co_firstlineno - first


def guarded(function: Function, condition: Function) -> Function:
    """Return the function behind a plain test of its precondition."""
    parameters = ", ".join(inspect.signature(function).parameters)
    asked = ", ".join(inspect.signature(condition).parameters)
    place = f"{function.__module__}.{function.__qualname__}+{offset(condition, function)}"
    space: dict[str, Any] = {
        "function": function,
        "condition": condition,
        "CallerBroke": CallerBroke,
    }
    # Written out, not *args: CrossHair reads the signature, and a bind per call is slow.
    exec(
        f"def {function.__name__}({parameters}):\n"
        f"    if not condition({asked}):\n"
        f"        raise CallerBroke({place!r})\n"
        f"    return function({parameters})\n",
        space,
    )
    wrapper: Function = space[function.__name__]
    wrapper.__wrapped__ = function  # type: ignore[attr-defined]  # for inspect.unwrap
    wrapper.__module__, wrapper.__qualname__ = function.__module__, function.__qualname__
    wrapper.__annotations__ = function.__annotations__
    return wrapper


def contracts_of(target: str) -> dict[str, Callable[..., Any]]:
    """Return the replacements: contracts whole on the target, preconditions else, no memory.

    A remembered answer would be looked up by a symbolic number.
    """

    def selective(
        decorator: Callable[..., Callable[[Function], Function]], precondition: bool
    ) -> Callable[..., Callable[[Function], Function]]:
        def factory(condition: Function, **_: object) -> Callable[[Function], Function]:
            def decorate(function: Function) -> Function:
                if f"{function.__module__}.{function.__qualname__}" == target:
                    return decorator(condition, enabled=True)(function)
                return guarded(function, condition) if precondition else function

            return decorate

        return factory

    require = selective(icontract.require, True)
    ensure = selective(icontract.ensure, False)
    return {
        "require": require, "require_part": require, "ensure": ensure, "ensure_part": ensure,
        "remembered": lambda function: function,
    }  # fmt: skip


def number_within(kind: type[IntEnum], name: str) -> Any:
    """Return a symbolic whole number between the least and the greatest member."""
    with NoTracing():  # type: ignore[no-untyped-call]  # CrossHair's
        space: Any = context_statespace()
        number = SymbolicInt(name + space.uniq(), int)
        space.add(number.var >= int(min(kind)))
        space.add(number.var <= int(max(kind)))
        return number


def take_enumerations_as_numbers() -> None:
    """Have CrossHair make whole numbers where a field is an enumeration without gaps."""
    original = core.proxy_for_type

    def proxy(typ: Any, varname: str, allow_subtypes: bool = False) -> Any:
        if isinstance(typ, type) and issubclass(typ, IntEnum):
            if len(typ) == int(max(typ)) - int(min(typ)) + 1:
                return number_within(typ, varname)
        return original(typ, varname, allow_subtypes)

    core.proxy_for_type = proxy


def analyse(module: str, function: str, seconds: float) -> dict[str, object]:
    """Return what CrossHair says of each postcondition, and how many conditions it saw."""
    for name, replacement in contracts_of(f"{module}.{function}").items():
        setattr(kernel.contracts, name, replacement)
    take_enumerations_as_numbers()
    target = getattr(importlib.import_module(module), function)
    options = AnalysisOptionSet(
        analysis_kind=[AnalysisKind.icontract], report_all=True, per_condition_timeout=seconds
    )
    first = inspect.unwrap(target).__code__.co_firstlineno
    results: list[dict[str, Any]] = []
    required = 0
    for checkable in analyze_function(target, options):
        if not isinstance(checkable, ConditionCheckable):
            said = [message.message for message in checkable.analyze()]
            return {"results": [], "required": 0, "ensured": 0, "error": "; ".join(said)}
        stats: collections.Counter[str] = collections.Counter()
        checkable.options.stats = stats
        (post,) = checkable.conditions.post
        required = len(checkable.conditions.pre)
        begun = time.process_time()
        messages = list(checkable.analyze())
        worst = max(messages, key=lambda message: message.state, default=None)
        results.append(
            {
                "offset": post.line - first if post.expr_source else -1,
                "state": worst.state.name if worst else "CANNOT_CONFIRM",
                "message": worst.message if worst else "nothing was said",
                "paths": stats["num_paths"],
                "exhausted": stats["exhaustion"] > 0,
                "seconds": round(time.process_time() - begun, 2),
            }
        )
    ensured = sum(result["offset"] >= 0 for result in results)
    return {"results": results, "required": required, "ensured": ensured, "error": ""}


def main() -> int:
    """Analyse what the command line names and print the document."""
    module, function, seconds = sys.argv[1:4]
    # CrossHair prints what code under analysis prints; the document goes out alone.
    out, sys.stdout = sys.stdout, sys.stderr
    document = analyse(module, function, float(seconds))
    out.write(json.dumps(document) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
