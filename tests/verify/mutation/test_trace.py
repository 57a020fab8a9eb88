"""Mutants of journals: a few forgeries through both judges, and judges that are blind."""

import random

import pytest

from traces.schema import KINDS
from verify.mutation import trace
from verify.mutation.forging import Forgery, Original, forged, forgeries
from verify.mutation.trace import (
    originals,
    reckon,
    rejected_by_model,
    replay_rejects,
    replay_rejects_from,
)


@pytest.fixture(scope="module")
def sound() -> list[Original]:
    return originals()


@pytest.fixture(scope="module")
def drawn(sound: list[Original]) -> list[tuple[Original, Forgery]]:
    return list(forgeries(random.Random(trace.SEED), sound, 20))


def test_the_journals_have_every_kind_and_replay(sound: list[Original]) -> None:
    kinds = {record.kind.name for one in sound for record in one.records.values()}
    assert kinds == {kind.name for kind in KINDS}
    refused = {one.kind.name for each in sound for one in each.records.values() if one.reason}
    assert {"RequestOrder", "ConfirmFence", "CloseBar", "ConfirmRearm"} <= refused
    assert [replay_rejects(one.data) for one in sound] == [None] * len(sound)


def test_both_judges_stop_at_the_forged_record(drawn: list[tuple[Original, Forgery]]) -> None:
    stopped = [replay_rejects_from(one, forgery, forged(one, forgery)) for one, forgery in drawn]
    found = reckon(drawn, stopped, rejected_by_model(drawn))
    assert (found.killed, found.missed) == (len(drawn), ())
    assert found.model + found.digests == found.total


def test_control_a_sound_record_is_not_rejected(sound: list[Original]) -> None:
    untouched = [
        (one, Forgery(record, "none", ""))
        for one in sound[::4]
        for record in list(one.records.values())[:40]
    ]
    assert rejected_by_model(untouched) == frozenset()


def test_control_a_blind_judge_is_named(drawn: list[tuple[Original, Forgery]]) -> None:
    stopped: list[int | None] = [forgery.record.sequence for _, forgery in drawn]
    everything = frozenset(range(len(drawn)))
    blind = reckon(drawn, stopped, frozenset())
    assert blind.killed == blind.digests
    assert "the model allows it" in blind.missed[0]
    late = reckon(drawn, [None, *stopped[1:]], everything)
    (missed,) = late.missed
    assert missed.startswith("forgery 0: record ")
    assert missed.endswith("the replay stopped at None")
