"""The faulty venue: wrong when asked to be, and the paper venue in all else."""

from dolphin.drills.faulty_venue import OFF_BY, FaultyVenue
from dolphin.link.messages import AskBooks, Books, EndOrders, FromVenue, OrdersEnded
from dolphin.venue.paper import PaperVenue


def told(venue: PaperVenue) -> list[FromVenue]:
    """What the venue has to tell the guard."""
    found = list(venue.tells)
    venue.tells.clear()
    return found


def test_a_slow_venue_confirms_with_the_next_bar() -> None:
    venue = FaultyVenue(1_000_000_000, seed=3)
    assert venue.drill("slow_cancels", True)
    venue.on_guard(EndOrders(sequence=1))
    assert told(venue) == []
    venue.on_bar({})
    assert told(venue) == [OrdersEnded(sequence=1)]


def test_a_venue_that_is_prompt_again_says_what_it_held_back() -> None:
    venue = FaultyVenue(1_000_000_000, seed=3)
    venue.drill("slow_cancels", True)
    venue.on_guard(EndOrders(sequence=1))
    venue.drill("slow_cancels", False)
    assert told(venue) == [OrdersEnded(sequence=1)]
    venue.on_guard(EndOrders(sequence=2))
    assert told(venue) == [OrdersEnded(sequence=2)]


def test_books_are_false_once_and_only_when_told() -> None:
    venue = FaultyVenue(1_000_000_000, seed=3)

    def cash() -> int:
        venue.on_guard(AskBooks())
        (books,) = told(venue)
        assert isinstance(books, Books)
        return books.cash

    assert cash() == venue.cash
    assert venue.drill("falsify_books", True)
    assert cash() == venue.cash + OFF_BY
    assert cash() == venue.cash
    assert venue.counts["books_falsified"] == 1
    assert not venue.drill("something_else", True)


def test_control_without_a_fault_both_venues_say_the_same() -> None:
    venues = (PaperVenue(1_000, seed=3), FaultyVenue(1_000, seed=3))
    for venue in venues:
        venue.on_bar({1: 1_000_000})
        venue.on_guard(EndOrders(sequence=1, close=(4,)))
        venue.on_guard(AskBooks())
    assert told(venues[0]) == told(venues[1])
