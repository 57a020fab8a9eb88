"""From CrossHair's answers to each condition's verdict.

Rules of this file:

*   A condition is confirmed, violated, or not confirmed with the reason. There is no fourth.
*   ``ensure``: what CrossHair said of that very lambda. What it did not see is not confirmed.
*   ``require``: an assumption of the function and a duty of its callers. It is confirmed when some
    input meets it and every function of the kernel that calls the function is itself confirmed:
    CrossHair walked all its paths, past the test in front of every call. A function that nothing in
    the kernel calls has its duty outside, and is not confirmed.
*   An exception that no contract declares is a violation of the function's first condition; one
    that says that a callee's precondition was broken is a violation of that precondition as well.

Not here: running (``worker.py``), the item (``item.py``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verify.crosshair.conditions import Condition, Contracted

CONFIRMED = "confirmed"
VIOLATED = "violated"
NOT_CONFIRMED = "not confirmed"

_BROKE = re.compile(r"CallerBroke: ([\w.]+)\+(\d+)")
_FAILS = ("POST_FAIL", "POST_ERR", "EXEC_ERR")
MESSAGE_MAX = 600  # characters of a counterexample that are shown


@dataclass(frozen=True)
class Verdict:
    """A condition, its status, and the reason or the counterexample."""

    condition: Condition
    status: str
    reason: str = ""


def judge_result(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return status and reason of one postcondition's result."""
    state, paths, seconds = result["state"], result["paths"], result["seconds"]
    message = str(result["message"])
    if state == "CONFIRMED":
        return CONFIRMED, ""
    if state in _FAILS and "NotDeterministic" not in message:
        return VIOLATED, message[:MESSAGE_MAX]
    if state == "PRE_UNSAT":
        if result["exhausted"]:
            return NOT_CONFIRMED, "no input meets the precondition: the contract says nothing"
        return (
            NOT_CONFIRMED,
            f"no input that meets the precondition was found on {paths} paths in {seconds} s",
        )
    if state == "CANNOT_CONFIRM" and not result["exhausted"]:
        return NOT_CONFIRMED, f"time was up: {paths} paths in {seconds} s, none fails"
    if state == "CANNOT_CONFIRM":
        return NOT_CONFIRMED, f"on some of {paths} paths the solver gave no answer"
    return NOT_CONFIRMED, f"unsupported: {message[:MESSAGE_MAX]}"


def _ensured(one: Contracted, document: Mapping[str, Any]) -> list[Verdict]:
    by_offset = {result["offset"]: result for result in document.get("results", ())}
    found = []
    for condition in one.conditions:
        if condition.kind != "ensure":
            continue
        if document.get("error"):
            found.append(Verdict(condition, NOT_CONFIRMED, str(document["error"])))
        elif condition.offset not in by_offset:
            found.append(Verdict(condition, NOT_CONFIRMED, "CrossHair did not see this condition"))
        else:
            found.append(Verdict(condition, *judge_result(by_offset[condition.offset])))
    return found


def _own(one: Contracted, document: Mapping[str, Any]) -> tuple[str, str]:
    """Return status and reason of the function as a whole: the worst of its results."""
    if document.get("error"):
        return NOT_CONFIRMED, str(document["error"])
    judged = [judge_result(result) for result in document.get("results", ())]
    required = sum(condition.kind == "require" for condition in one.conditions)
    if document.get("required") != required:
        return NOT_CONFIRMED, f"CrossHair saw {document.get('required')} of {required} conditions"
    for status in (VIOLATED, NOT_CONFIRMED):
        for found, reason in judged:
            if found == status:
                return found, reason
    return (CONFIRMED, "") if judged else (NOT_CONFIRMED, "CrossHair said nothing of it")


def _duty(
    one: Contracted, own: Mapping[str, tuple[str, str]], callers: Mapping[str, frozenset[str]]
) -> tuple[str, str]:
    """Return status and reason of what the function requires of who calls it."""
    status, reason = own[one.name]
    if status == NOT_CONFIRMED and "no input" in reason:
        return NOT_CONFIRMED, reason
    waiting = sorted(callers.get(one.name, frozenset()) - {one.name})
    if not waiting:
        return NOT_CONFIRMED, "its callers are outside the kernel"
    for caller in waiting:
        if caller not in own:
            return NOT_CONFIRMED, f"{caller} calls it and has no contract to start from"
        if own[caller][0] != CONFIRMED:
            return NOT_CONFIRMED, f"{caller} calls it and is itself {own[caller][0]}"
    return CONFIRMED, ""


def judge(
    functions: Sequence[Contracted],
    documents: Mapping[str, Mapping[str, Any]],
    callers: Mapping[str, frozenset[str]],
) -> list[Verdict]:
    """Return a verdict for every condition; ``documents`` are the workers', by function."""
    own = {one.name: _own(one, documents[one.name]) for one in functions}
    by_place = {
        (one.name, condition.offset): condition for one in functions for condition in one.conditions
    }
    broken: dict[Condition, str] = {}
    for one in functions:
        for result in documents[one.name].get("results", ()):
            status, reason = judge_result(result)
            match = _BROKE.search(reason) if status == VIOLATED else None
            callee = by_place.get((match.group(1), int(match.group(2)))) if match else None
            if callee is not None:
                broken.setdefault(callee, f"{one.name} breaks it: {reason}")
    verdicts = []
    for one in functions:
        found = _ensured(one, documents[one.name])
        duty = _duty(one, own, callers)
        required = [
            Verdict(condition, VIOLATED, broken[condition])
            if condition in broken
            else Verdict(condition, *duty)
            for condition in one.conditions
            if condition.kind == "require"
        ]
        # A function without a postcondition can still raise what nobody declared.
        if not found and own[one.name][0] == VIOLATED and required:
            required[0] = Verdict(required[0].condition, *own[one.name])
        verdicts += required + found
    return verdicts
