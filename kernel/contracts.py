"""Contracts: the one place that knows icontract.

Rules of this file:

*   ``require`` and ``ensure`` guard ``step`` and are always on. icontract's default drops a
    precondition under ``python -O``; ``enabled=True`` keeps it, and a test runs under ``-O``.
*   ``require_part`` and ``ensure_part`` guard the functions below ``step``. They are on where
    ``ICONTRACT_SLOW`` is set in the environment (the test suite and the provers set it) and cost
    nothing where it is not. The evidence report says which of the two a run had.
*   ``require_proof`` and ``ensure_proof`` are for the prover: what they say is the promise of
    ``step``, handed down to what ``step`` calls. At run time ``step`` asks it, once.
*   ``pure`` marks a predicate that contracts may call. It does nothing at run time; the proof
    generator turns it into the prover's ``@Pure``; ``opaque`` beside it into ``@Opaque``,
    and ``reveal`` in a contract into ``Reveal``.

Not here: the predicates themselves. They stand beside the code they speak about.
"""

from functools import partial

import icontract

PARTS_CHECKED = icontract.SLOW

require = partial(icontract.require, enabled=True)
ensure = partial(icontract.ensure, enabled=True)
require_part = partial(icontract.require, enabled=PARTS_CHECKED)
ensure_part = partial(icontract.ensure, enabled=PARTS_CHECKED)  # KRN-STEP-014
require_proof = partial(icontract.require, enabled=False)
ensure_proof = partial(icontract.ensure, enabled=False)


def opaque[F](function: F) -> F:
    """Mark a pure function of which a proof may use the contract alone; the identity at run time.

    Its own proof reads its body. Who calls it is proved from its contract, so a product or a
    division in it troubles no other proof.
    """
    return function


def reveal[T](value: T) -> T:
    """Let a contract look into the opaque function it calls; the identity at run time."""
    return value


def pure[F](function: F) -> F:
    """Mark a side-effect-free predicate; the identity at run time."""
    return function
