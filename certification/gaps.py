"""The gaps: what this evidence does not cover, listed on the report's first page.

Rules of this file:

*   A gap is stated whether or not everything else holds. Nothing here is ever green.
*   Each says what is missing, and what limits the damage; a limit is not a remedy.
*   What the machine did not permit and what stands in for a sensor come from the session's own
    record.

Source: design 6 (gaps in every report), 7 (isolation). Not here: claims and their states.
"""

from dataclasses import dataclass

from certification.artefacts import Inputs

LABEL = "DO-178C-style evidence, not certified"


@dataclass(frozen=True)
class Gap:
    """One gap: its name, what is missing, what limits it."""

    name: str
    missing: str
    limit: str


ALWAYS = (
    Gap("No certification",
        "No authority has seen this. DO-178C lends its order here, not its force.",
        "Every claim links to a file and its hash, so that a stranger can repeat it."),
    Gap("No independent verification",
        "Specification, code, tests and this report have the same authors.",
        "Three witnesses judge each step: the model, the replay and the tests. Each has negative "
        "controls that must fail."),
    Gap("CPython itself",
        "The interpreter, its standard library, the C library and the operating system are not "
        "verified. Memory is managed; time is not bounded.",
        "The kernel is integers and loop-free functions, and imports a short allow-list."),
    Gap("Unqualified tools",
        "Compilers, linters, pytest, coverage and the report's own generator are not qualified "
        "under DO-330.",
        "Versions, hashes and counts are pinned; each gate has a sample it must reject."),
    Gap("Trusted bases",
        "The results of TLC, the JVM, Z3 and Viper are relied on. TLC checks bounded models only.",
        "Bounds and exact state counts are pinned; the code replays every edge of the graphs."),
)  # fmt: skip


def gaps(inputs: Inputs) -> tuple[Gap, ...]:
    """Return the gaps of this run: those that always stand, isolation, and stand-ins."""
    session = inputs.session or {}
    measures = session.get("isolation")
    missing = [row for row in measures or [] if not row["held"]]
    if not measures:
        isolation = Gap(
            "Isolation not recorded",
            "The session did not say which measures of isolation held.",
            "None is assumed to hold.",
        )
    elif missing:
        isolation = Gap(
            "Isolation that did not hold",
            "; ".join(f"{row['measure']} ({row['detail']})" if row.get("detail") else row["measure"]
                      for row in missing) + ".",
            "The claim is lowered: separate processes, not 'DAL A isolated'.",
        )  # fmt: skip
    else:
        isolation = Gap(
            "Isolation as recorded by the session itself",
            "Every measure is reported to have held; no independent observer confirmed it.",
            "The measures are listed below.",
        )
    stand_ins = session.get("stand_ins") or {}
    found: tuple[Gap, ...] = (*ALWAYS, isolation)
    if stand_ins:
        found += (
            Gap(
                "Stand-ins for sensors",
                "Not measured but computed from the bars: " + ", ".join(sorted(stand_ins)) + ".",
                "Each is named in the journal's header and below.",
            ),
        )
    if session and session.get("data") is None:
        found += (
            Gap(
                "A generated market",
                "The session ran on a seeded market of our own, not on recorded prices.",
                "The seed is given; recorded panels run with --data.",
            ),
        )
    return found
