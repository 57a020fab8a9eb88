"""The figures of ADR 0010 and 0014, measured again; and the command that measures them."""

import json

import pytest

from dolphin.feed.panel import load_panel
from dolphin.sensors.firing import firing_rates, main
from tests.dolphin.panels import CRASH, PERPETUALS, real


@pytest.mark.slow
def test_rates_on_the_real_perpetuals() -> None:
    rates = firing_rates(load_panel(real(PERPETUALS)))
    assert rates["signal_bars"] == 7_890
    assert rates["signal_share"] == pytest.approx(0.0525, abs=0.0005)
    assert rates["signal_extreme_share"] == pytest.approx(0.0063, abs=0.0002)
    assert rates["shocks"] == 11
    assert rates["book_degraded_share"] == pytest.approx(0.0526, abs=0.0005)
    assert rates["forewarner_orange_share"] == pytest.approx(0.0281, abs=0.0005)
    assert rates["forewarner_red_share"] == 0.0


def test_rates_through_the_real_crash() -> None:
    rates = firing_rates(load_panel(real(CRASH), rows_min=200), (12, 36, 72, 180))
    assert rates["signal_share"] == pytest.approx(0.2107, abs=0.0007)
    assert rates["shocks"] == 13
    assert rates["forewarner_red_share"] == pytest.approx(0.0388, abs=0.0005)


def test_the_command_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "1", "--bars", "500", "--windows", "10,20,50"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bars"] == 500
    assert document["symbols"] == 16
    assert document["signal_bars"] == 500 - 51


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["no-such-file"], "no such file"),
        (["--windows", "a,b"], "--windows a,b"),
        (["--windows", "50"], "at least two"),
        (["--bars", "3"], "bars 3"),
    ],
)
def test_bad_input_is_one_line_and_two(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert word in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
