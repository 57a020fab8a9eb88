"""10 CFR 50 Appendix B: which criterion rests on which claims.

Rules of this file:

*   All eighteen criteria are listed, in order. What needs an organisation or an independent person
    says so and is never green (``standards.py``).
*   A row names the claims that it rests on, and in a sentence what our artefact is.

Source: 10 CFR Part 50, Appendix B (titles); design 6 (the mapping). Not here: the claims
themselves.
"""

from certification.standards import FULL, IN_PART, INDEPENDENT, ORGANISATION, Row

CRITERIA = (
    Row("I", "Organization", ORGANISATION, (),
              "Authority and independence of those who assure quality."),
    Row("II", "Quality Assurance Program", ORGANISATION, (),
              "A programme that management owns, reviews and trains for."),
    Row("III", "Design Control", FULL,
              ("MOD-*", "CON-EDGES", "PRF-*", "REQ-TRACED"),
              "Models, the replay of their edges, proofs and requirements."),
    Row("IV", "Procurement Document Control", ORGANISATION, (),
              "Contracts with suppliers of services and material."),
    Row("V", "Instructions, Procedures, and Drawings", FULL,
              ("DOC-CONTRACT",),
              "The kernel's contract, event by event."),
    Row("VI", "Document Control", FULL,
              ("CFG-REVISION", "DOC-CONTRACT"),
              "Documents and source are of one recorded revision."),
    Row("VII", "Control of Purchased Material, Equipment, and Services", ORGANISATION, (),
              "Somebody must evaluate suppliers; hashes say only that nothing changed."),
    Row("VIII", "Identification and Control of Materials, Parts, and Components", FULL,
              ("CFG-LOCKS", "CFG-TLC", "CFG-CONSTANTS"),
              "The bill of materials: each package by version and hash."),
    Row("IX", "Control of Special Processes", IN_PART,
              ("MOD-SUITE", "MOD-CONTROLS", "PRF-CONTRACTS"),
              "Model checking and proof are controlled; the tools are not qualified."),
    Row("X", "Inspection", INDEPENDENT, (),
              "By people other than those who did the work."),
    Row("XI", "Test Control", FULL,
              ("TST-PASS*", "COV-BRANCH", "COV-MCDC", "SHOWN-*"),
              "Recorded test runs, their coverage, and what the session had to show."),
    Row("XII", "Control of Measuring and Test Equipment", FULL,
              ("CFG-TLC", "MOD-CONTROLS", "MUT-*"),
              "The tools are pinned, and each is shown able to fail."),
    Row("XIII", "Handling, Storage and Shipping", IN_PART,
              ("SES-FILES", "AUD-INTACT"),
              "Records are hashed and chained; where they are kept is not ours to say."),
    Row("XIV", "Inspection, Test, and Operating Status", FULL,
              ("SES-VERDICT", "TST-PASS*", "MOD-SUITE", "AUD-CONFORMANT"),
              "What was tested, with which outcome, and what was not run."),
    Row("XV", "Nonconforming Materials, Parts, or Components", FULL,
              ("AUD-INTACT", "AUD-REPLAYED", "AUD-CONFORMANT", "AUD-JOURNAL"),
              "The audit finds a step that the model forbids, and names the record."),
    Row("XVI", "Corrective Action", FULL,
              ("MOD-CONTROLS", "CON-EDGES", "MUT-*"),
              "A fault once found stays a test or a control that must fail."),
    Row("XVII", "Quality Assurance Records", FULL,
              ("SES-FILES", "SES-JOURNAL", "AUD-AUTHENTIC"),
              "The journal, its anchors, and the hash of every file here."),
    Row("XVIII", "Audits", INDEPENDENT, (),
              "Planned audits by people without a part in the work."),
)  # fmt: skip
