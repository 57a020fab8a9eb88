"""The velocity of lambda_max, and the divergence between the shortest window and the longest.

Rules of this file: two formulas, each written once. Windows are given shortest first.

Theory. No source defines velocity beyond "lambda_max rate of change" (bible 3.1). ADR 0010 decides:
the relative rate per bar, ln(lambda now / lambda ``lag`` bars ago) / lag, lag 1. It is a pure
number, it does not depend on how many symbols there are, and on the real panel the thresholds
-0.02 and -0.05 cut it at about 5 % and 0.6 % of the bars.

Not here: the threshold (``dolphin/alpha/signal.py``).
"""

from collections.abc import Sequence
from math import log

__all__ = ["vel_div", "velocity"]


def velocity(now: float, before: float, lag: int) -> float:
    """Return the relative change of lambda_max per bar. Both eigenvalues are > 0, lag >= 1 bars."""
    return log(now / before) / lag


def vel_div(velocities: Sequence[float]) -> float:
    """Return v50 − v750: the shortest window's velocity less the longest's (bible 3.1, 27.3)."""
    return velocities[0] - velocities[-1]
