"""``dolphin rearm``: lift a kill, in two steps (``dolphin/ops/two_steps.py``)."""

from dolphin.link.messages import ConfirmRearm, RequestRearm
from dolphin.ops.two_steps import two_steps

command = two_steps(
    "rearm",
    RequestRearm,
    ConfirmRearm,
    "Lift what the kill-switch has latched. Trust starts from zero.",
)
