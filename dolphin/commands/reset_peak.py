"""``dolphin reset-peak``: the equity peak, in two steps, flat (``dolphin/ops/two_steps.py``)."""

from dolphin.link.messages import ConfirmPeakReset, RequestPeakReset
from dolphin.ops.two_steps import two_steps

command = two_steps(
    "reset-peak",
    RequestPeakReset,
    ConfirmPeakReset,
    "Set the equity peak to the equity of now, so that a drawdown no longer bars a flat book.",
)
