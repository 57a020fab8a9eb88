"""The traceability matrix: one self-contained HTML page.

A row per requirement: what is asked, what it refines, which code and which models carry it, which
tests were executed and what came out, and the status. Rows are filtered by words, group, method and
status; every id is a place that can be linked to.

Rules of this file:

*   It renders the canonical document (``exports.document``) and adds nothing to it.
*   No empty cell: what is missing says so. Status is a word, never a colour alone.

Not here: the words and the style (``certification/templates/matrix.*``), escaping (``render.py``).
"""

from collections.abc import Mapping
from typing import Any

from certification.render import render, style
from certification.requirements.catalogue import GROUPS, HIGH, METHODS

STATUS = ("verified", "failing", "untested", "not run")
LISTED_MAX = 4
SHOWN_MAX = 20

Row = Mapping[str, Any]


def group_of(row: Row) -> str:
    """Return the group of a requirement, the id without its number."""
    return str(row["id"].rpartition("-")[0])


def words_of(row: Row) -> str:
    """Return what the search of the page looks into."""
    links = (*row["code"], *row["spec"])
    return " ".join(
        (
            row["id"], row["text"], row["source"], row["parent"],
            *(link["file"] for link in links), *(link["where"] for link in links), *row["tests"],
        )
    ).lower()  # fmt: skip


def tiles_of(data: Row) -> list[tuple[str, object, str]]:
    """Return (words, figure, look) of each tile; a gap is bad where it is not 0."""

    def gap(key: str) -> str:
        return "open" if data[key] is None else "bad" if data[key] else "good"

    counts = (("requirements", "total"), ("high-level", "high"), ("low-level", "low"),
              ("of them the kernel's", "kernel"))  # fmt: skip
    gaps = (("untested", "untested"), ("failing tests", "failing"), ("orphans", "orphans"),
            ("dangling ids", "dangling"), ("carried by nothing", "uncarried"))  # fmt: skip
    return [
        *((name, data[key], "") for name, key in counts),
        ("verified", data["verified"], "open" if data["verified"] is None else "good"),
        *((name, data[key], gap(key)) for name, key in gaps),
    ]


def page(data: Row) -> str:
    """Return the page for the canonical document."""
    rows: list[Row] = data["requirements"]
    by_id = {row["id"]: row for row in rows}
    groups = []
    for group, about in GROUPS.items():
        its = [row for row in rows if group_of(row) == group]
        if its:
            good = sum(row["status"] == "verified" for row in its)
            groups.append((group, about, its, good))
    return render(
        "matrix.html",
        css=style("matrix.css"),
        script=style("matrix.js"),
        data=data,
        tiles=tiles_of(data),
        groups=groups,
        high=HIGH,
        by_id=by_id,
        children_of=lambda row: [by_id[one] for one in row["children"] if one in by_id],
        words_of=words_of,
        group_of=group_of,
        methods=METHODS,
        stati=STATUS,
        listed_max=LISTED_MAX,
        shown_max=SHOWN_MAX,
    )
