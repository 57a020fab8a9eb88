"""Contract text of the kernel and lemmas of its proofs, for tests and provers only.

Rules of this package:

*   A module here is named after the module of ``kernel/`` that it speaks of. Its predicates are
    exact: they allow one outcome for each state and event, so that a mutant of the code fails one.
*   Nothing here decides. In production no predicate of this package is evaluated; the decorators
    that name them are off there (``kernel/contracts.py``).
*   ``lemmas*`` are for the prover: functions that do nothing and ensure what a proof needs.

Not here: ``Inv`` and ``StepProperties``, which production asks at every step
(``kernel.invariants``, ``kernel.promises``).
"""
