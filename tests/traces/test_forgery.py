"""Journals forged well: every checksum after the forged place is right, and yet they are found.

Outputs and states are found by replay, and by the model alone, at the exact record. A forged input
folded again is a legal history: the first anchor after it finds that, for who has the key.
"""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from kernel.constants import Profile
from kernel.events import UpdateMark
from kernel.outcome import Accepted
from kernel.step import step
from tests.traces.samples import KEY, header_of, sample, walk
from traces.audit.judge import audit_journals
from traces.audit.rows import Chunk, new_points
from traces.audit.tlc import Batch, check
from traces.codec import DeltaEncoder, unpack_record
from traces.frames import Tag, first_chain, frame, prefix, scan
from traces.header import Header, header_bytes, read_header
from traces.schema import COLUMNS, KINDS
from verify.mutation.forging import Forgery, Original, forged, forgeries, take_apart
from verify.mutation.trace import (
    rejected_by_model,
    replay_rejects,
    replay_rejects_from,
    step_alone,
)

FORGERIES, SAMPLED = 1_100, 150


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Original]:
    """Sound journals, quiet ones and wild ones, in which every kind of event occurs."""
    folder = tmp_path_factory.mktemp("originals")
    found = []
    for profile in Profile:
        for chaos in (0.02, 0.3):
            path = folder / f"{profile.name}-{chaos}.journal"
            found.append(take_apart(sample(path, 40, 1_000, profile, chaos=chaos)))
    kinds = {r.kind.name for one in found for r in one.records.values()}
    assert kinds == {kind.name for kind in KINDS}, "the journals miss a kind of event"
    return found


@pytest.mark.req("AUD-003", "JNL-032")
@pytest.mark.slow
@pytest.mark.campaign
def test_every_forged_output_and_state_is_rejected_at_its_record(
    originals: list[Original], rng: random.Random, whole: bool
) -> None:
    drawn = list(forgeries(rng, originals, FORGERIES if whole else SAMPLED))
    missed = []
    for number, (original, forgery) in enumerate(drawn):
        data = forged(original, forgery)
        found = replay_rejects_from(original, forgery, data)
        if number % 25 == 0:
            assert replay_rejects(data) == found, "from the start and from the record differ"
        if found != forgery.record.sequence:
            missed.append((forgery.part, forgery.name, forgery.record.sequence, found))
    by_model, unseen = judged_by_model(drawn)
    assert by_model > len(drawn) // 2
    assert len(drawn) >= (1_000 if whole else SAMPLED)
    if whole:
        assert {f.name for _, f in drawn if f.part == "state"} == {c.name for c in COLUMNS}
        assert {f.record.kind.name for _, f in drawn} == {kind.name for kind in KINDS}
    assert missed == []
    # The model sees no digest; all else it rejects without the kernel's help.
    assert unseen == []


def judged_by_model(
    drawn: list[tuple[Original, Forgery]],
) -> tuple[int, list[tuple[str, str, int]]]:
    """How many forged records the model alone rejects, and those it accepts but for the digest."""
    rejected = rejected_by_model(drawn)
    unseen = [
        (forgery.part, forgery.name, forgery.record.sequence)
        for number, (_, forgery) in enumerate(drawn)
        if forgery.part != "digest" and number not in rejected
    ]
    return len(rejected), unseen


@pytest.mark.req("AUD-003", "AUD-009")
def test_sound_steps_alone_are_accepted_by_the_model(
    originals: list[Original], rng: random.Random
) -> None:
    # The twin: what is not forged is not rejected, so the rejections above say something.
    points = new_points()
    groups: dict[Profile, list[Chunk]] = {profile: [] for profile in Profile}
    for original in originals:
        chunks = groups[original.header.limits.profile]
        for record in rng.sample(sorted(original.records.values(), key=lambda r: r.sequence), 300):
            mapper = step_alone(original, Forgery(record, "none", ""), len(chunks), points)
            assert mapper is not None
            chunks.append(mapper.chunks[0])
    batches = [
        Batch(header_of(profile).limits, tuple(chunks), points)
        for profile, chunks in groups.items()
    ]
    assert check(batches).rejections == ()


@pytest.mark.req("AUD-003", "AUD-006")
def test_the_whole_audit_names_the_forged_record(
    originals: list[Original], rng: random.Random, tmp_path: Path
) -> None:
    original = originals[0]
    records = list(original.records.values())
    column = next(c.code for c in COLUMNS if c.name == "multiplier_ppm")
    rising = [r for r in records if dict(r.changes).get(column, 0) > 2]
    record = rng.choice(rising)
    claimed = dict(record.changes) | {column: dict(record.changes)[column] - 1}
    forgery = Forgery(replace(record, changes=tuple(sorted(claimed.items()))), "state", "")
    path = tmp_path / "forged.journal"
    path.write_bytes(forged(original, forgery))
    audit = audit_journals([path])
    (one,) = audit.journals
    assert (one.intact, one.replayed, one.conformant) == (True, False, False)
    assert one.explanation is not None
    assert one.explanation.record == forgery.record.sequence
    assert f"record {forgery.record.sequence}" in one.replay_text
    assert "multiplier_ppm" in one.explanation.false
    assert "multiplier_ppm" in one.explanation.nearest
    assert audit.exit_code == 1


# --- forged inputs -------------------------------------------------------------------------------


def folded_again(path: Path, header: Header, change: int, key: bytes | None) -> int:
    """The same session with another price in one mark, all after it folded again, MACs kept.

    Returns the number of the forged record. The forger has every checksum but not the key: the
    anchors are the ones of the true journal.
    """
    true = list(scan(path.read_bytes()))
    data = prefix()
    chain = first_chain(data)
    header_read = read_header(true[0].body)
    fold = DeltaEncoder(header_read.opening_state())
    forged_at, marks, events, accepted = -1, 0, 0, 0
    for one in true:
        body = one.body
        if one.tag == Tag.EVENT:
            event = unpack_record(one.sequence, body).event
            if isinstance(event, UpdateMark):
                marks += 1
                if marks == change:
                    event, forged_at = replace(event, price=event.price + 1), one.sequence
            outcome = step(fold.state, event)
            body = fold.body(event, outcome)
            events, accepted = events + 1, accepted + isinstance(outcome, Accepted)
        elif one.tag == Tag.CLOSE:
            body = events.to_bytes(8, "little") + accepted.to_bytes(8, "little") + one.body[16:]
        whole, chain = frame(one.sequence, one.tag, body, chain)
        data += whole
    path.write_bytes(data)
    return forged_at


@pytest.mark.req("AUD-004", "JNL-020", "JNL-022")
def test_a_forged_input_folded_again_is_caught_by_the_first_anchor_after_it(
    tmp_path: Path, seed: int
) -> None:
    path = sample(tmp_path / "a.journal", seed, 1_200, key=KEY)
    anchors = [one.sequence for one in scan(path.read_bytes()) if one.tag == Tag.ANCHOR]
    forged_at = folded_again(path, header_of(key=KEY), 3, KEY)
    assert forged_at > 0, "no mark to forge in this session"
    first = next(anchor for anchor in anchors if anchor > forged_at)

    without = audit_journals([path], tlc=False).journals[0]
    assert (without.intact, without.replayed, without.authentic) == (True, True, None)
    assert without.authentic_text.startswith("authenticity not checked")

    found = audit_journals([path], key=KEY, tlc=False)
    (one,) = found.journals
    assert (one.intact, one.replayed, one.authentic) == (True, True, False)
    assert f"the anchor at record {first} is not the key's" in one.authentic_text
    assert found.exit_code == 1


def resealed(path: Path, header: Header, stop: int | None, close: bool) -> None:
    """The journal under another header, or cut and closed again, its checksums right."""
    data = prefix()
    chain = first_chain(data)
    frames = list(scan(path.read_bytes()))
    last = frames[-1]
    kept = frames[:stop] if stop is not None else frames
    events = sum(one.tag == Tag.EVENT for one in kept)
    accepted = sum(one.tag == Tag.EVENT and one.body[2] == 0 for one in kept)
    bodies = [(one.tag, one.body) for one in kept]
    bodies[0] = (int(Tag.HEADER), header_bytes(header))
    if close and stop is not None:
        counts = events.to_bytes(8, "little") + accepted.to_bytes(8, "little")
        bodies.append((int(Tag.CLOSE), counts + last.body[16:]))
    for sequence, (tag, body) in enumerate(bodies):
        whole, chain = frame(sequence, tag, body, chain)
        data += whole
    path.write_bytes(data)


@pytest.mark.req("JNL-020", "JNL-021")
def test_a_journal_cut_at_an_anchor_cannot_be_closed_again(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 9, 700, key=KEY)
    frames = list(scan(path.read_bytes()))
    anchor = next(one for one in frames[200:] if one.tag == Tag.ANCHOR)
    header = read_header(frames[0].body)
    resealed(path, header, anchor.sequence + 1, close=True)
    (one,) = audit_journals([path], key=KEY, tlc=False).journals
    assert (one.intact, one.replayed, one.authentic) == (True, True, False)


@pytest.mark.req("JNL-020")
def test_a_forged_header_is_caught_by_the_first_anchor(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 9, 700, key=KEY)
    header = read_header(next(iter(scan(path.read_bytes()))).body)
    resealed(path, replace(header, stand_ins={}), None, close=False)
    (one,) = audit_journals([path], key=KEY, tlc=False).journals
    assert (one.intact, one.replayed, one.authentic) == (True, True, False)


@pytest.mark.req("JNL-020")
def test_anchors_stripped_are_missed_by_who_has_the_key(tmp_path: Path) -> None:
    # Without anchors the journal is sound; with the key in hand it must not pass as authentic.
    path = sample(tmp_path / "a.journal", 9, 300)
    (one,) = audit_journals([path], key=KEY, tlc=False).journals
    assert one.authentic is False
    assert one.authentic_text == "the journal carries no anchors"


@pytest.mark.req("JNL-020")
def test_another_key_is_not_the_journals(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 9, 300, key=KEY)
    (one,) = audit_journals([path], key=bytes(32), tlc=False).journals
    assert one.authentic is False
    assert "another key" in one.authentic_text


def test_the_walk_reaches_what_is_forged() -> None:
    # Forging is drawn over what sessions do: entries, fills, flattens and both kinds of answers.
    seen = set()
    for profile in Profile:
        for _, event, outcome in walk(40, 3_000, header_of(profile).opening_state()):
            seen.add((type(event).__name__, isinstance(outcome, Accepted)))
    for name in ("RequestOrder", "ReportFill", "CloseOrder", "ConfirmFence", "CloseBar"):
        assert (name, True) in seen, name
