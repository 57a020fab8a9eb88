"""Claims that nothing makes yet: proofs, MC/DC, mutation, requirements.

Rules of this file:

*   They stand in every report as "not run": a package that left them out would look complete.
*   A claim leaves this file on the day a collector reads the file that decides it.
"""

from certification.claims import NOT_RUN, PACKAGE, Claim

LATER = (
    (
        "PRF-CONTRACTS",
        "Every function of the kernel's core is proved to keep its contract (Nagini)",
    ),
    ("PRF-INDUCTIVE", "The kernel's invariant is proved inductive over unbounded integers"),
    ("PRF-CROSSHAIR", "CrossHair finds no violated contract"),
    (
        "PRF-ROCQ",
        "The mathematics of the survival curves is proved in Rocq, without axioms of ours",
    ),
    ("COV-MCDC", "Level A code has 100 % masking MC/DC by requirement-based tests"),
    ("MUT-KILLED", "Every mutant of code, specification and trace is killed or justified"),
    ("REQ-TRACED", "Every requirement has a test that was executed and passed; no orphan"),
)


def later_claims() -> list[Claim]:
    return [
        Claim(
            name,
            text,
            NOT_RUN,
            PACKAGE,
            "",
            "",
            "dolphin verify --lane full --json",
            "this version of the project has no command that makes it",
        )
        for name, text in LATER
    ]
