"""The round trip that is measured is one: an order is permitted, passes, and is closed."""

from dolphin.commands.bench import MORE
from dolphin.drills.round_trip import World


def test_each_order_passes_and_leaves_nothing_behind() -> None:
    world = World()
    for _ in range(3):
        assert world.trip()
        assert world.shell.state.gate.slots[0].permit_quantity == 0
    assert world.guard.counts == {"orders": 3}
    assert not world.shell.refusals
    assert [one.key for one in MORE] == ["order_round_trips_per_s"]
