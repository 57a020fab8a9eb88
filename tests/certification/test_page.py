"""The page and the document: whole, linked, escaped, the same bytes twice."""

import itertools
import json
import random
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import pytest

from certification.artefacts import collect
from certification.claims import Claim
from certification.collectors import judge
from certification.evidence import canonical, evidence
from certification.page import page
from certification.page_session import TRADES_SHOWN, counted, trades_view
from certification.plots import (
    KINDS,
    NARROW,
    WIDE,
    Frame,
    Mark,
    bar_time,
    equity_plot,
    multiplier_plot,
    nice_ticks,
    posture_plot,
    posture_runs,
    refusals_plot,
    scale_x,
    thin,
)
from tests.certification import a_run

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Checker(HTMLParser):
    """Collects what a page has, and every element that is closed wrongly."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.empty_cells = 0
        self._cell = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.ids += [values["id"]] if values.get("id") else []  # type: ignore[list-item]  # not None
        self.links += [values[name] or "" for name in ("href", "src") if name in values]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self._cell = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")
        if tag == "td" and not self._cell.strip():
            self.empty_cells += 1


def checked(text: str) -> Checker:
    checker = Checker()
    checker.feed(text)
    checker.close()
    return checker


def made(run: Path) -> tuple[str, dict[str, object], tuple[Claim, ...]]:
    inputs = collect(run, run.parent.parent, {})
    claims = judge(inputs)
    return page(inputs, claims), evidence(inputs, claims), claims


def states(run: Path) -> list[str]:
    """Return the names of files whose absence gives pages of another kind."""
    return [path.name for path in run.iterdir() if path.is_file()]


def test_the_page_is_whole_and_stands_alone(run: Path) -> None:
    text, _, claims = made(run)
    found = checked(text)
    assert found.faults == []
    assert found.open == []
    assert found.empty_cells == 0
    assert not {"script", "link", "img", "iframe"} & set(found.tags)
    assert len(found.ids) == len(set(found.ids))
    assert "http" not in re.sub(r"<code>.*?</code>", "", text)
    for claim in claims:
        assert claim.id in found.ids
    for word in ("CPython itself", "unqualified", "no independent verification", "Viper", "JVM"):
        assert word.lower() in text.lower()
    assert "DO-178C-style evidence, not certified" in text


def test_every_link_leads_somewhere(run: Path) -> None:
    text, _, _ = made(run)
    found = checked(text)
    assert len(found.links) > 20
    for link in found.links:
        if link.startswith("#"):
            assert link[1:] in found.ids
        else:
            assert (run / link).is_file(), link


@pytest.mark.parametrize(
    "gone",
    ["session.json", "bars.parquet", "journal.bin", "audit.json", "check.json",
     "junit.xml", "all"],
)  # fmt: skip
def test_a_page_without_a_file_says_so_and_has_no_empty_cell(run: Path, gone: str) -> None:
    for name in states(run) if gone == "all" else [gone]:
        (run / name).unlink()
    text, document, _ = made(run)
    found = checked(text)
    assert (found.faults, found.open, found.empty_cells) == ([], [], 0)
    assert gone in ("all", "check.json") or f"{gone} is missing" in text
    assert "not run" in text
    json.loads(canonical(document))


def test_text_from_files_is_escaped(run: Path) -> None:
    session = a_run.read_json(run / "session.json")
    evil = '<script>alert("x")</script>&'
    for field in ("reason", "started", "commit", "profile"):
        session[field] = evil
    session["command"] = [evil]
    session["machine"] = {evil: evil}
    session["stand_ins"] = {evil: evil}
    session["counts"] = {evil: evil}
    session["refusals"] = {evil: 3}
    session["shown"].append({"name": evil, "ok": True, "detail": evil})
    session["marks"] = [{"bar": 5, "kind": evil, "text": evil, "who": evil, "why": evil}]
    session["acts"][0] |= {"act": evil, "who": evil, "why": evil, "outcome": evil}
    words = ("by", "instrument", "side", "entry_why", "exit_why", "drill")
    session["trades"][0] |= dict.fromkeys(words, evil)
    session["not_applicable"] = {evil: evil}
    session["demotions"][0]["sensor"] = evil
    session["trips"][0]["causes"] = [evil]
    session["guard"] = {"refusals": {evil: 1}}
    session["isolation"].append({"measure": evil, "held": False, "detail": evil})
    session["processes"].append({"name": evil, "pid": evil})
    a_run.write_json(run / "session.json", session)
    audit = a_run.read_json(run / "audit.json")
    audit["conformant"], audit["rejection"] = False, {"record": 5, "action": evil}
    audit["coverage"] = {evil: [evil]}
    a_run.write_json(run / "audit.json", audit)
    (run / "logs" / "a&b'c.log").write_text("x", "utf-8")
    text, _, _ = made(run)
    found = checked(text)
    assert "script" not in found.tags
    assert (found.faults, found.open) == ([], [])
    assert "record: 5" in text
    assert evil not in text
    assert text.count("&lt;script&gt;") > 25


def test_a_rejection_is_told_whole_on_the_page_and_in_one_line_beside_the_claim(run: Path) -> None:
    audit = a_run.read_json(run / "audit.json")
    audit["conformant"] = False
    audit["rejection"] = {
        "record": 812,
        "text": "record 812 is no step\n  false  open <= 6 * capital",
    }
    a_run.write_json(run / "audit.json", audit)
    text, _, claims = made(run)
    assert "record 812 is no step\n  false  open &lt;= 6 * capital" in text
    assert {claim.id: claim.detail for claim in claims}["AUD-CONFORMANT"] == "record 812 is no step"
    assert checked(text).faults == []


def test_the_same_files_give_the_same_bytes(run: Path) -> None:
    first, second = made(run), made(run)
    assert first[0] == second[0]
    assert canonical(first[1]) == canonical(second[1])


def test_evidence_is_canonical_and_true_to_the_files(run: Path) -> None:
    _, document, claims = made(run)
    text = canonical(document)
    read = json.loads(text)
    assert text == json.dumps(read, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert read["schema"] == 1
    assert read["verdict"] == {"session": "PASS", "package": "PASS"}
    assert read["claims"] == [asdict(claim) for claim in claims]
    hashes = {row["name"]: row["sha256"] for row in read["files"]}
    root = run.parent.parent
    for claim in read["claims"]:
        assert {"id", "text", "status", "artefact", "sha256", "command"} <= set(claim)
        assert claim["status"] in ("holds", "does not hold", "not run")
        if claim["status"] == "holds":
            assert a_run.sha256(root / claim["artefact"]) == claim["sha256"]
            assert hashes[claim["artefact"]] == claim["sha256"]


# --- trades and the first screen -----------------------------------------------------------------


def cells(text: str, css: str) -> list[list[str]]:
    """Return the cells, as plain text, of each row of the tables of a class."""
    rows = []
    for inner in re.findall(rf'<table class="{css}">.*?<tbody>(.*?)</tbody>', text, re.DOTALL):
        for row in re.findall(r"<tr.*?</tr>", inner, re.DOTALL):
            found = re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL)
            rows.append([re.sub(r"<[^>]+>", " ", cell).strip() for cell in found])
    return rows


def test_the_page_opens_with_verdict_result_and_trades(run: Path) -> None:
    text, _, _ = made(run)
    places = [text.index(words) for words in (
        ">PASS<", "equity, USDT", "−0.16 %", 'aria-label="Equity', '<h2 id="trades">',
        '<h2 id="evidence">', '<h2 id="gaps">', '<h2 id="session">', '<h2 id="claims">',
    )]  # fmt: skip
    assert places == sorted(places)
    assert "This session does drills" in text


def test_the_table_of_trades_says_what_the_session_recorded(run: Path) -> None:
    text, _, _ = made(run)
    first, second = cells(text, "stack trades")
    for cell, words in zip(first, (
        "1", "BTCUSDT", "short", "1", "60,000.00", "59,900.00", "80.00", "signal: below",
    ), strict=True):  # fmt: skip
        assert words in cell
    assert "take profit" in first[7]
    assert "drill" not in first[1]
    assert "2025-07-31 22:17" in first[4]  # bar 50, with its year
    assert ("drill" in second[1], "−120.00" in second[6]) == (True, True)


def test_many_trades_are_all_there_and_the_rest_is_folded(run: Path) -> None:
    session = a_run.read_json(run / "session.json")
    session["trades"] = [a_run.trade(entry_bar=n, exit_bar=n + 1) for n in range(100)]
    a_run.write_json(run / "session.json", session)
    text, _, _ = made(run)
    rows = cells(text, "stack trades")
    assert [row[0] for row in rows] == [str(number) for number in range(1, 101)]
    assert f"{100 - TRADES_SHOWN} more" in text
    view = trades_view(collect(run, run.parent.parent, {}))
    assert view is not None
    assert view["result"] == "8,000.00"


def test_a_session_without_trades_says_so(run: Path) -> None:
    session = a_run.read_json(run / "session.json")
    for trades, said in (([], "no order was filled"), (None, "The session lists no trades.")):
        session["trades"] = trades
        if trades is None:
            del session["trades"]
        a_run.write_json(run / "session.json", session)
        assert said in made(run)[0]


def test_an_operators_reason_and_every_drill_are_on_the_page(run: Path) -> None:
    text, _, _ = made(run)
    assert "OPERATOR; ann: an exercise" in text
    marks = [row for row in cells(text, "stack") if len(row) == 4 and row[0] in ("700", "701")]
    assert [("drill" in row[2], row[1][:4]) for row in marks] == [(False, "2025"), (True, "2025")]
    (act,) = [row for row in cells(text, "stack") if row[1:] == ["kill", "ann", "an exercise",
                                                               "accepted"]]  # fmt: skip
    assert act[0] == "700"


def test_processes_stand_with_the_levels_of_the_sessions_account(run: Path) -> None:
    session = a_run.read_json(run / "session.json")
    for row, level in zip(session["processes"], "BAEDC", strict=True):
        row["level"] = level
    a_run.write_json(run / "session.json", session)
    text, _, _ = made(run)
    found = dict(re.findall(r'"name">(\w+)</td>\s*<td data-label="level">(\w)</td>', text))
    assert found == {row["name"]: row["level"] for row in session["processes"]}


def test_counts_have_an_order() -> None:
    groups = counted({"zeta": 1, "trips": 2, "alpha_late": 3, "bars": 4, "Unknown": 5, "exits": 6})
    assert [title for title, _ in groups] == [
        "bars and market", "orders and fills", "kills and recoveries", "everything else",
    ]  # fmt: skip
    assert groups[-1][1] == [("Unknown", 5), ("alpha late", 3), ("zeta", 1)]


def test_long_material_is_folded(run: Path) -> None:
    """What a reader need not see at once is in a <details> that is closed."""
    text, _, claims = made(run)
    shut = re.sub(r"<details(?: class=\"list\")?>.*?</details>", "", text, flags=re.DOTALL)
    for claim in claims:
        assert f'<tr id="{claim.id}">' not in shut
    assert len(re.findall(r"<tr", shut)) < 60


# --- plots ---------------------------------------------------------------------------------------


def columns(count: int) -> dict[str, tuple[object, ...]]:
    frame = a_run.bars(count)
    return {name: tuple(frame[name].to_list()) for name in frame.columns}


@pytest.mark.parametrize("count", [1, 2, 3, 750, 9000])
def test_plots_are_xml_inside_their_frame(count: int) -> None:
    bars = columns(count)
    marks = (Mark(0, "trip", "a < b"), Mark(count - 1, "rearm", "&"))
    plots = (equity_plot, multiplier_plot, posture_plot)
    for draw, frame in itertools.product(plots, (WIDE, NARROW)):
        text = draw(bars, marks, frame)
        top = ElementTree.fromstring(text)
        assert top.attrib["viewBox"].split()[2] == str(frame.width)
        _, _, width, height = (float(word) for word in top.attrib["viewBox"].split())
        assert top.attrib["aria-label"]
        assert len(text) < 400_000
        numbers = [
            (float(pair[0]), float(pair[1]))
            for line in top.iter("polyline")
            for pair in (point.split(",") for point in line.attrib["points"].split())
        ]
        for x, y in numbers:
            assert 0 <= x <= width
            assert 0 <= y <= height


@pytest.mark.parametrize("frame", [WIDE, NARROW])
def test_every_mark_stands_at_its_bar_however_many_are_beside_it(
    rng: random.Random, frame: Frame
) -> None:
    bars = columns(3_200)
    kinds = [kind for kind in KINDS if kind != "other"]
    marks = [Mark(183 + rng.randrange(6), rng.choice(kinds), "x", rng.random() < 0.5)
             for _ in range(80)]  # fmt: skip
    top = ElementTree.fromstring(posture_plot(bars, marks, frame))
    x = scale_x(frame, bars)
    drawn = []
    for path in top.iter("path"):
        place, _ = path.attrib["transform"].removeprefix("translate(").removesuffix(")").split()
        (title,) = path
        said = title.text or ""
        number = int(said.split(":")[0].removeprefix("bar ").replace(",", ""))
        assert float(place) == pytest.approx(x(number), abs=0.05)
        assert ("drill" in path.attrib["class"].split()) == ("(drill)" in said)
        drawn.append((number, path.attrib["class"].split()[1]))
    assert sorted(drawn) == sorted((mark.bar, mark.kind) for mark in marks)


def test_times_carry_their_year_and_never_overlap() -> None:
    assert bar_time(1_736_139_840_000) == "2025-01-06 05:04"
    assert bar_time(1_736_139_845_000) == "2025-01-06 05:04:05"
    for frame, count in itertools.product((WIDE, NARROW), (2, 40, 3_200)):
        top = ElementTree.fromstring(equity_plot(columns(count), (), frame))
        times = [text for text in top.iter("text") if (text.text or "").startswith("2025-")]
        assert times
        ends = 0.0
        for text in times:
            wide = 6.0 * len(text.text or "")
            share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib["text-anchor"]]
            begins = float(text.attrib["x"]) - share * wide
            assert begins >= ends
            ends = begins + wide


def test_thinning_loses_no_spike(rng: random.Random) -> None:
    for _ in range(50):
        values = [rng.random() for _ in range(rng.randrange(1, 6000))]
        spike = rng.randrange(len(values))
        values[spike] = rng.choice([-5.0, 5.0])
        kept = thin(values, 300)
        assert (spike, values[spike]) in kept
        assert list(kept) == sorted(set(kept))
        assert kept[0] == (0, values[0])
        assert kept[-1] == (len(values) - 1, values[-1])
        assert len(kept) <= 1200 or len(values) <= 600


def test_ticks_are_round_and_inside(rng: random.Random) -> None:
    for _ in range(300):
        low = rng.uniform(-1e6, 1e6)
        high = low + 10 ** rng.uniform(-3, 6)
        ticks = nice_ticks(low, high, 6)
        slack = (high - low) * 1e-6
        assert 2 <= len(ticks) <= 13
        assert all(low - slack <= tick <= high + slack for tick in ticks)


def test_posture_runs_tile_the_bars(rng: random.Random) -> None:
    postures = [rng.randrange(4) for _ in range(200)]
    rebuilt = []
    for posture, begin, end in posture_runs(postures, 10):
        rebuilt += [posture] * (end - begin)
        assert begin == 10 + len(rebuilt) - (end - begin)
    assert rebuilt == postures


def test_a_reason_never_given_is_said_to_be() -> None:
    text = refusals_plot({"COOLING": 0, "WOULD_FLIP": 7})
    ElementTree.fromstring(text)
    assert text.count("never given") == 1
    assert "refusals" in refusals_plot({}).lower()
