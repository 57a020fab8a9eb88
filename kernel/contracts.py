"""Contracts: the one place that knows icontract.

Rules of this file:

*   ``require`` and ``ensure`` guard ``step`` and are always on. icontract's default drops a
    precondition under ``python -O``; ``enabled=True`` keeps it, and a test runs under ``-O``.
*   ``require_part`` and ``ensure_part`` guard the functions below ``step``. They are on where
    ``ICONTRACT_SLOW`` is set in the environment (the test suite and the provers set it) and cost
    nothing where it is not. The evidence report says which of the two a run had.
*   ``pure`` marks a predicate that contracts may call. It does nothing at run time; the proof
    generator turns it into the prover's ``@Pure``.

Not here: the predicates themselves. They stand beside the code they speak about.
"""

from functools import partial

import icontract

PARTS_CHECKED = icontract.SLOW

require = partial(icontract.require, enabled=True)
ensure = partial(icontract.ensure, enabled=True)
require_part = partial(icontract.require, enabled=PARTS_CHECKED)
ensure_part = partial(icontract.ensure, enabled=PARTS_CHECKED)


def pure[F](function: F) -> F:
    """Mark a side-effect-free predicate; the identity at run time."""
    return function
