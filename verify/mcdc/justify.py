"""Waivers: conditions that no test can show, one by one, each bound to the code it is about.

A file of TOML:

    [[justification]]
    module = "kernel.gate"
    function = "request_verdict"
    kind = "condition"              # or "statement", "branch"
    code = "a and b"                # the decision or the statement, as the report writes it
    item = "2"                      # the condition's number, or the branch ("true", "false", …)
    occurrence = 1                  # where the same code stands twice in a function
    hash = "0123456789abcdef"       # of the function as the report gives it (`report --stubs`)
    reason = "why it cannot be shown, as an argument"

Rules of this file:

*   The hash is of the syntax tree of the whole function, without layout, comments and docstrings:
    why a condition cannot vary lies in the code around it. A changed function voids its excuses.
*   A justification that excuses nothing is an error: what it names is not there, or is covered, or
    was reached by tests that do not count, and so can be shown.
*   Where a decision has one condition, its excuse covers the branch that it is.

Not here: what an argument has to be. A reviewer reads it.
"""

import tomllib
from pathlib import Path
from typing import Any

from .report import Obligation, Report
from .runtime import BadInput

FIELDS: dict[str, type] = {
    "module": str, "function": str, "kind": str, "code": str, "item": str, "occurrence": int,
    "hash": str, "reason": str,
}  # fmt: skip
OPTIONAL: dict[str, Any] = {"item": "", "occurrence": 1}
KINDS = ("statement", "branch", "condition")


def read(path: Path) -> list[dict[str, Any]]:
    """Return the justifications of a file. Raises `BadInput` naming file, entry and field."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {error}") from error
    entries = document.pop("justification", [])
    if document or not isinstance(entries, list):
        raise BadInput(f"{path}: expected [[justification]] and nothing else")
    for number, entry in enumerate(entries, start=1):
        place = f"{path}: justification {number}"
        for name, kind in FIELDS.items():
            value = entry.setdefault(name, OPTIONAL[name]) if name in OPTIONAL else entry.get(name)
            if type(value) is not kind or (name not in OPTIONAL and not value):
                raise BadInput(f"{place}: {name} must be a non-empty {kind.__name__}")
        if entry["kind"] not in KINDS:
            raise BadInput(f"{place}: kind must be one of {', '.join(KINDS)}")
        if surplus := sorted(entry.keys() - FIELDS.keys()):
            raise BadInput(f"{place}: unknown field {surplus[0]}")
    return entries


def apply(report: Report, entries: list[dict[str, Any]], path: Path) -> None:
    """Waiver what the entries name; what is wrong with an entry becomes a finding."""
    known: dict[tuple[Any, ...], Obligation] = {each.key: each for each in report.obligations}
    for number, entry in enumerate(entries, start=1):
        name = ("module", "function", "kind", "code", "item", "occurrence")
        each = known.get(tuple(entry[part] for part in name))
        fault = fault_of(each, entry)
        if fault or each is None:
            what = f"{entry['module']}.{entry['function']} {entry['kind']} {entry['item']}"
            report.findings.append(
                f"{path}: justification {number} ({what} of `{entry['code']}`): {fault}"
            )
            continue
        for other in covered_by(each, report.obligations):
            other.excuse = entry["reason"]


def fault_of(each: Obligation | None, entry: dict[str, Any]) -> str:
    """Say what is wrong with an entry, or nothing."""
    if each is None:
        return "unused: there is no such code"
    if each.digest != entry["hash"]:
        return f"void: the code it excuses has changed (hash is now {each.digest})"
    if each.met:
        return "unused: the tests that count show it"
    if each.excuse:
        return "unused: justified before"
    if each.by:
        return f"contradicted: tests reached it ({each.by}), so it can be shown"
    return ""


def covered_by(each: Obligation, every: list[Obligation]) -> list[Obligation]:
    """Return the obligations that one excuse settles: a condition is also to be evaluated."""
    if each.kind != "condition":
        return [each]
    same = [o for o in every if o.key[:2] == each.key[:2] and o.code == each.code]
    same = [o for o in same if o.occurrence == each.occurrence and not o.met]
    twin = [o for o in same if o.kind == "evaluated" and o.item == each.item]
    alone = not any(o.kind == "condition" and o.item == "2" for o in every if o.code == each.code)
    return [each, *twin, *[o for o in same if alone and o.kind == "branch"]]


def stubs(report: Report) -> str:
    """Return an entry for every gap, its reason left empty: a reason is written, not generated."""
    text = []
    for gap in report.gaps:
        text.append("[[justification]]")
        for name, value in {**gap.document(), "reason": ""}.items():
            if name in FIELDS and value != OPTIONAL.get(name):
                text.append(f"{name} = {value if isinstance(value, int) else quote(str(value))}")
        text.append("")
    return "\n".join(text)


def quote(text: str) -> str:
    """Return a TOML string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in plain) + '"'
