"""Claims about what the project is made of: its contract page, its locks, TLC's jar.

Rules of this file:

*   A package is pinned when its lock names one version and at least one hash.
*   TLC's jar is judged by its own hash against the one that the Makefile pins.

Not here: the revision of the source, which the session records (``session.py``).
"""

from dataclasses import replace

from certification.artefacts import Inputs, pinned_packages, pinned_tlc
from certification.claims import PACKAGE, Claim, claim_over, listed


def configuration_claims(inputs: Inputs) -> list[Claim]:
    claims = [
        claim_over(
            "DOC-CONTRACT",
            "The kernel's contract is written down, event by event",
            inputs.contract_file.present or None,
            inputs.contract_file,
            "docs/KERNEL.md",
        ),
    ]
    loose: list[str] = []
    count = 0
    for ref in inputs.lock_files:
        for package, version, hashes in pinned_packages(ref.path.read_text(encoding="utf-8")):
            count += 1
            if not version or not hashes:
                loose.append(f"{package} in {ref.name}")
    first = (
        inputs.lock_files[0]
        if inputs.lock_files
        else replace(inputs.makefile, sha256="", name="locks/")
    )
    claims.append(
        claim_over(
            "CFG-LOCKS",
            "Every package is pinned by version and hash",
            None if not count else not loose,
            first,
            "make lock",
            PACKAGE,
            f"not pinned: {listed(loose)}"
            if loose
            else (
                f"{count} pins in {len(inputs.lock_files)} locks" if count else "no lock is there"
            ),
        )
    )
    pinned = pinned_tlc(inputs.makefile.path.read_text("utf-8")) if inputs.makefile.present else ""
    jar = inputs.tlc_file
    state = None if not jar.present or not pinned else jar.sha256 == pinned
    detail = "" if state else f"{jar.short} is missing" if not jar.present else "not the pinned jar"
    claims.append(
        claim_over(
            "CFG-TLC",
            "TLC's jar is the one pinned by hash",
            state,
            jar,
            "make jars",
            PACKAGE,
            detail,
        )
    )
    stray = [ref.name for ref in inputs.stray_files]
    claims.append(
        claim_over(
            "CFG-RECORDS",
            "Every file among the records is the record of an item",
            False if stray else inputs.inputs_file.present or None,
            inputs.inputs_file,
            "git rm of what is no record",
            PACKAGE,
            f"no item's record: {listed(stray)}" if stray else "",
        )
    )
    return claims
