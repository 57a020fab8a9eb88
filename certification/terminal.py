"""Terminal output of ``certification``: the verdicts, and what each rests on, by area.

Rules of this file:

*   One line for each area, in plain words: its state, how many claims, and what to do about it.
*   What was run here and what an earlier run has on record are counted apart.
*   A claim that does not hold is said in full, with its file; one that was not run is counted, and
    the report says which.

Not here: the page (``page.py``), the one JSON document (``__main__.py``).
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from certification.areas import summaries
from certification.claims import DOES_NOT_HOLD, HOLDS, SESSION, Claim, verdicts
from certification.standing import RECORDED

MEANING = {
    "PASS": "every claim holds",
    "FAIL": "a claim does not hold",
    "INCOMPLETE": "nothing is known to be wrong; what was not run does not count",
}
COLOURS = {"PASS": "green", "FAIL": "red", "INCOMPLETE": "yellow"}
Colour = Callable[[str, str], str]


def plain(text: str, _colour: str) -> str:
    """Return the text without colour."""
    return text


def package_lines(claims: tuple[Claim, ...], colour: Colour = plain) -> list[str]:
    """Return the lines about the evidence package."""
    said = verdicts(claims)
    word = colour(said.package, COLOURS[said.package])
    bases = Counter(claim.basis for claim in claims if claim.status == HOLDS)
    recorded = bases.pop(RECORDED, 0)
    lines = [
        f"Evidence {word}: {MEANING[said.package]}",
        f"  {said.holds} claims hold ({sum(bases.values())} run here, {recorded} recorded by an "
        f"earlier run), {said.does_not_hold} do not hold, {said.not_run} not run",
    ]
    for summary in summaries(claims):
        number = len(summary.claims)
        if summary.status == HOLDS:
            how = summary.rests_on
        else:
            how = f"{len(summary.open)} of {number} open: {summary.area.remedy}"
        lines.append(f"  {summary.word:13} {summary.area.name:38} {how}")
        lines += [
            f"    {claim.id}: {claim.text}: {claim.detail or 'no'}"
            for claim in summary.open
            if claim.status == DOES_NOT_HOLD
        ]
    return lines


def all_lines(
    claims: tuple[Claim, ...], report: Path, document: Path, colour: Colour = plain
) -> list[str]:
    """Return the lines of ``dolphin certify``: both verdicts, and where the files are."""
    said = verdicts(claims)
    return [
        f"Session  {colour(said.session, COLOURS[said.session])}",
        *(
            f"  {claim.status:13} {claim.text}: {claim.detail or 'no'} ({claim.id})"
            for claim in claims
            if claim.scope == SESSION and claim.status != HOLDS
        ),
        *package_lines(claims, colour),
        f"Report   {report}",
        f"Document {document}",
    ]
