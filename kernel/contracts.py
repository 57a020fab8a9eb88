"""Contracts: the one place that knows icontract.

Rules of this file:

*   ``require`` and ``ensure`` guard ``step`` and are always on. icontract's default drops a
    precondition under ``python -O``; ``enabled=True`` keeps it, and a test runs under ``-O``.
*   In production they ask their conditions plainly, and the precondition is skipped where the state
    is the very object whose postcondition has just held (docs/adr/0084 says what is not seen then).
    What does not hold plainly is icontract's to judge: it asks again, and raises with its own text.
*   ``require_part`` and ``ensure_part`` guard the functions below ``step``. They are on where
    ``ICONTRACT_SLOW`` is set in the environment (the test suite and the provers set it) and cost
    nothing where it is not. The evidence report says which of the two a run had.
*   ``require_proof`` and ``ensure_proof`` are for the prover: what they say is the promise of
    ``step``, handed down to what ``step`` calls. At run time ``step`` asks it, once.
*   ``pure`` marks a predicate that contracts may call. It does nothing at run time; the proof
    generator turns it into the prover's ``@Pure``; ``opaque`` beside it into ``@Opaque``,
    and ``reveal`` in a contract into ``Reveal``.
*   ``remembered`` marks a pure function of one integer whose last answers production keeps.

Not here: the predicates themselves. They stand beside the code they speak about.
"""

from collections.abc import Callable
from functools import lru_cache, partial, wraps
from typing import Any, cast

import icontract

PARTS_CHECKED = icontract.SLOW

require_part = partial(icontract.require, enabled=PARTS_CHECKED)
ensure_part = partial(icontract.ensure, enabled=PARTS_CHECKED)  # KRN-STEP-014
require_proof = partial(icontract.require, enabled=False)
ensure_proof = partial(icontract.ensure, enabled=False)

ANSWERS_KEPT = 16  # of each remembered function: a step asks the same few ages again and again


class Held:
    """The state that last stood in a postcondition of ``step`` that held, known by identity."""

    state: object = None


_held = Held()


class Required(icontract.require):
    """The precondition of ``step``, on the state alone; skipped where the state is the one held."""

    def __call__[F: Callable[..., Any]](self, func: F) -> F:
        """Return the function behind its precondition."""
        judged, holds = super().__call__(func), cast(Any, self._contract).condition

        @wraps(func)
        def checked(state: Any, event: Any) -> Any:
            if state is _held.state or holds(state):
                return func(state, event)
            return judged(state, event)

        return cast(F, checked)


class Ensured(icontract.ensure):
    """The postcondition of ``step``; the state that it leaves in force is held from then on."""

    def __call__[F: Callable[..., Any]](self, func: F) -> F:
        """Return the function in front of its postcondition."""
        judged, holds = super().__call__(func), cast(Any, self._contract).condition

        @wraps(func)
        def checked(state: Any, event: Any) -> Any:
            outcome = func(state, event)
            if not holds(state, event, outcome):
                return judged(state, event)
            # A refusal has no state of its own: the one before stays in force.
            _held.state = outcome.state if hasattr(outcome, "state") else state
            return outcome

        return cast(F, checked)


# Where parts are checked nothing is skipped: tests and mutants change what a predicate reads.
require = partial(icontract.require if PARTS_CHECKED else Required, enabled=True)
ensure = partial(icontract.ensure if PARTS_CHECKED else Ensured, enabled=True)


def remembered[F: Callable[..., Any]](function: F) -> F:
    """Keep the last answers of a pure function of one integer, in production.

    Where parts are checked it is the function itself: tests and mutants change what it reads.
    """
    return function if PARTS_CHECKED else cast(F, lru_cache(maxsize=ANSWERS_KEPT)(function))


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
