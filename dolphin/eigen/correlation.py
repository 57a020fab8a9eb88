"""The correlation matrix of a window of returns, and its largest eigenvalue.

Rules of this file:

*   Pure functions of a window; no state.
*   A symbol that did not move in the window has no correlation. Its row and column are 0 off the
    diagonal and 1 on it: it neither adds to the common mode nor takes from it. How many there were
    is returned, so that nobody mistakes a frozen market for an uncorrelated one.
*   The matrix is built anew from the window at each bar. Sums carried from bar to bar would be
    cheaper and drift: after a crash, what remains of its squares drowns the calm that follows. On
    50 symbols the four windows of a bar cost less than a millisecond, so it can be afforded.

Theory. With unit variances the trace is N, so lambda_max lies between 1 and N, and lambda_max / N
is the share of the variance that moves together. float64 here; the 512-bit path of bible 25 comes
later.

Not here: the change of lambda_max in time (``velocity.py``), which bars (``scanner.py``).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["correlation_matrix", "lambda_max"]


def correlation_matrix(window: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return the Pearson correlation of the window's columns, and the number of frozen symbols.

    window: log returns, shape (bars, symbols), bars >= 2. The result has shape (symbols, symbols),
    ones on the diagonal, and is symmetric. Source: bible 3.
    """
    centred = window - window.mean(axis=0)
    scale = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    # A constant column leaves rounding dust of its mean behind, not zero: compare with its size.
    frozen = scale <= 1e-12 * np.sqrt(np.einsum("ij,ij->j", window, window))
    scale[frozen] = np.inf
    unit = centred / scale
    matrix: NDArray[np.float64] = unit.T @ unit
    np.fill_diagonal(matrix, 1.0)
    return matrix, int(frozen.sum())


def lambda_max(matrix: NDArray[np.float64]) -> float:
    """Return the largest eigenvalue of a symmetric matrix, shape (n, n)."""
    return float(np.linalg.eigvalsh(matrix)[-1])
