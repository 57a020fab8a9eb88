"""Schemas of the JSON files, and a one-line message where a file differs.

Rules of this file:

*   A shape names what each known field is and which fields must be there. Fields it does not know
    are kept, so that a newer writer does not break an older report.
*   A difference is ``BadInput`` with the file, the field's place and what was expected. Nothing is
    converted: true is no number, "7" is no 7.

The fields themselves are described in ``certification/ARTEFACTS.md``. Not here: reading files.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class BadInput(Exception):
    """A file that cannot be read as what it should be. One line: file, field, expectation."""


@dataclass(frozen=True)
class Shape:
    """An object: what each field is, and which must be there. Fields it does not know are kept."""

    fields: Mapping[str, "tuple[type, ...] | Listed | Shape"]
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """A list (``keyed`` False) or an object (True) all of whose values are of one kind."""

    of: "tuple[type, ...] | Listed | Shape"
    keyed: bool = False


_NONE = type(None)
_TEXT, _INT, _BOOL = (str,), (int,), (bool,)
_MAYBE_TEXT, _MAYBE_BOOL, _MAYBE_INT = (str, _NONE), (bool, _NONE), (int, _NONE)

_TRADE: dict[str, "tuple[type, ...] | Listed | Shape"] = {
    **dict.fromkeys(("by", "instrument", "side", "entry_why", "exit_why", "drill"), _TEXT),
    **dict.fromkeys(("worker", "lot_ppm", "entry_bar", "entry_lots", "entry_value", "exit_lots",
                     "exit_value", "fees"), _INT),
    **dict.fromkeys(("exit_bar", "result"), _MAYBE_INT),
}  # fmt: skip
TRADE = Shape(_TRADE, tuple(_TRADE))
SESSION = Shape(
    {
        "id": _TEXT,
        "verdict": _TEXT,
        "reason": _MAYBE_TEXT,
        "command": (str, list),
        "started": _TEXT,
        "ended": _MAYBE_TEXT,
        "commit": _MAYBE_TEXT,
        "dirty": _MAYBE_BOOL,
        "profile": _TEXT,
        "seed": _MAYBE_INT,
        "windows": Listed(_INT),
        "data": (dict, str, _NONE),
        "machine": (dict,),
        "stand_ins": Listed(_TEXT, keyed=True),
        "processes": Listed(Shape({"name": _TEXT, "pid": (int, str)}, ("name", "pid"))),
        "isolation": Listed(
            Shape({"measure": _TEXT, "held": _BOOL, "detail": _MAYBE_TEXT}, ("measure", "held"))
        ),
        "shown": Listed(Shape({"name": _TEXT, "ok": _BOOL}, ("name", "ok"))),
        "not_applicable": Listed(_TEXT, keyed=True),
        "trips": Listed(Shape({"causes": Listed(_TEXT)}, ("causes",))),
        "demotions": Listed(
            Shape({"bar": _INT, "from": _INT, "to": _INT, "sensor": _TEXT}, ("bar", "sensor"))
        ),
        "guard": Shape({"refusals": Listed(_INT, keyed=True)}),
        "counts": (dict,),
        "refusals": Listed(_INT, keyed=True),
        "drills": _BOOL,
        "trades": Listed(TRADE),
        "cash": Shape({"first": _MAYBE_INT, "last": _INT}, ("first", "last")),
        "acts": Listed(
            Shape(
                {
                    "bar": _INT,
                    "act": _TEXT,
                    "who": _TEXT,
                    "why": _TEXT,
                    "outcome": _TEXT,
                    "drill": _BOOL,
                },
                ("bar", "act", "who", "why", "outcome", "drill"),
            )
        ),
        "marks": Listed(
            Shape(
                {
                    "bar": _INT,
                    "kind": _TEXT,
                    "text": _MAYBE_TEXT,
                    "who": _MAYBE_TEXT,
                    "why": _MAYBE_TEXT,
                    "drill": _MAYBE_TEXT,
                },
                ("bar", "kind"),
            )
        ),
        "artefacts": Listed(_TEXT, keyed=True),
    },
    ("id", "verdict", "shown"),
)
CHECK = Shape(
    {
        "ok": _BOOL,
        "models": Listed(
            Shape(
                {
                    "name": _TEXT,
                    "mode": _TEXT,
                    "expected": _TEXT,
                    "result": _TEXT,
                    "distinct": _INT,
                    "generated": _INT,
                    "diameter": _INT,
                    "seconds": (int, float),
                    "cfg_sha256": _TEXT,
                    "inputs": Listed(_TEXT, keyed=True),
                    "problems": Listed(_TEXT),
                },
                ("name", "mode", "expected", "result"),
            )
        ),
        "negative_controls": Shape(
            {"total": _INT, "failed_as_expected": _INT}, ("total", "failed_as_expected")
        ),
        "problems": Listed(_TEXT),
    },
    ("ok", "models", "negative_controls"),
)
AUDIT = Shape(
    {
        "ok": _BOOL,
        "journals": (int, list, dict),
        "records": _MAYBE_INT,
        "coverage": (dict, _NONE),
    },
    ("ok",),
)
CORPUS = Shape(
    {
        "graphs": Listed(
            Shape(
                {
                    "name": _TEXT,
                    "states": _INT,
                    "edges": _INT,
                    "accepted": _INT,
                    "reasons": Listed(_INT, keyed=True),
                    "sha256": _TEXT,
                },
                ("name", "edges"),
            )
        )
    },
    ("graphs",),
)
MANIFEST = Shape(
    {
        "models": Listed(
            Shape(
                {"name": _TEXT, "expected": _TEXT, "mode": _TEXT, "cfg": _TEXT},
                ("name", "expected"),
            )
        )
    },
    ("models",),
)
VERIFY = Shape(
    {
        "ok": _BOOL,
        "lane": _TEXT,
        "whole": _BOOL,
        "items": Listed(
            Shape(
                {
                    "name": _TEXT,
                    "section": _TEXT,
                    "status": _TEXT,
                    "detail": _TEXT,
                    "findings": Listed(_TEXT),
                    "inputs": Listed(_TEXT),
                    "inputs_sha256": _TEXT,
                    "basis": _TEXT,
                    "decides": _BOOL,
                },
                ("name", "section", "status", "detail", "findings", "inputs", "inputs_sha256"),
            )
        ),
    },
    ("ok", "lane", "whole", "items"),
)
_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    _NONE: "null",
}


def _expect(value: object, kinds: tuple[type, ...], where: str) -> None:
    if (isinstance(value, bool) and bool not in kinds) or not isinstance(value, kinds):
        wanted = " or ".join(_WORDS[kind] for kind in kinds)
        raise BadInput(f"{where} is {json.dumps(value)[:60]}, expected {wanted}")


def fits(value: Any, kind: tuple[type, ...] | Listed | Shape, file: str, field_name: str) -> None:
    """Raise ``BadInput``, naming file and field, unless the value is of this kind throughout."""
    where = f"{file}: field '{field_name}'" if field_name else f"{file}: the document"
    if isinstance(kind, Shape):
        _expect(value, (dict,), where)
        for name in kind.needed:
            if name not in value:
                inner = f"{field_name}.{name}".lstrip(".")
                raise BadInput(f"{file}: field '{inner}' is missing")
        for name, inner_kind in kind.fields.items():
            if name in value:
                fits(value[name], inner_kind, file, f"{field_name}.{name}".lstrip("."))
    elif isinstance(kind, Listed):
        _expect(value, (dict,) if kind.keyed else (list,), where)
        for key, item in value.items() if kind.keyed else enumerate(value):
            fits(item, kind.of, file, f"{field_name}[{key}]")
    else:
        _expect(value, kind, where)
