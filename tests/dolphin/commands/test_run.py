"""Progress of a session, as a terminal and as a file see it."""

from io import StringIO

import pytest
from rich.console import Console

from dolphin.commands.run import Shown
from dolphin.link.messages import Progress
from kernel.constants import Posture

SEEN = [
    Progress(bar=1, of=3_200, posture=Posture.HIBERNATE, equity=25_000_000_000),
    "drill: kill alpha",
    Progress(bar=3_196, of=3_200, posture=Posture.APEX, equity=24_000_000_000),
]


def test_a_terminal_is_told_of_a_drill_and_the_bar_ends_at_its_end() -> None:
    seen = StringIO()
    with Shown(3_400, Console(file=seen, force_terminal=True, width=120)) as shown:
        for message in SEEN:
            shown(message)
        shown.finish(3_200)
    text = seen.getvalue()
    assert text.index("drill: kill alpha") < text.rindex("3200/3200")
    assert "ended" in text


def test_a_file_gets_a_line_now_and_then_and_one_for_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Shown(3_400, Console(file=StringIO())) as shown:
        for message in SEEN:
            shown(message)
        shown.finish(3_200)
    assert capsys.readouterr().err.splitlines() == [
        "session: bar 1 of 3200: HIBERNATE 25,000 USDT",
        "session: bar 3196 of 3200: APEX      24,000 USDT",
        "session: ended at bar 3200",
    ]
