"""``dolphin bench``: the command of ``verify/bench.py``, and how fast an order goes round."""

from dolphin.drills.round_trip import round_trips_per_s
from verify.bench import Figure, bench

MORE = (
    Figure(
        "order_round_trips_per_s",
        "orders: asked, permitted, passed",
        "of processor time; without journal and sockets",
        round_trips_per_s,
    ),
)

command = bench(MORE)
