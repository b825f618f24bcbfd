"""Numbers as people read them."""

import pytest

from app.tables import units


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (999, "999"), (1000, "1 k"), (270_896, "270.9 k"),
        (41_000_000, "41 M"), (999_949, "999.9 k"),
        (999_999, "1 M"), (1_234_567_890, "1.2 G"),
    ],
)  # fmt: skip
def test_counts(number, text):
    assert units.count(number) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0.0 %"), (0.8, "80.0 %"), (1.0, "100.0 %"), (0.99996, ">99.9 %"),
        (1e-6, "<0.1 %"), (float("nan"), "unknown"),
    ],
)  # fmt: skip
def test_percentages_never_round_to_all_or_nothing(fraction, text):
    assert units.percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, ""), (float("inf"), ""), (2, "a few seconds left"),
        (33, "about 35 s left"), (118, "about 2 min left"),
        (5399, "about 90 min left"), (7200, "about 2 h left"),
        (9000, "about 2.5 h left"),
    ],
)  # fmt: skip
def test_time_left(seconds, text):
    assert units.left(seconds) == text


@pytest.mark.parametrize(
    ("log10", "text"),
    [
        (-5, "10⁻⁵"),
        (-4.69897, "2\N{MULTIPLICATION SIGN}10⁻⁵"),
        (-7.0005, "10⁻⁷"),
        (0.0, "10⁰"),
        (12, "10¹²"),
    ],
)
def test_powers_of_ten(log10, text):
    assert units.power_of_ten(log10) == text


def test_clock_memory_shape_and_name():
    assert [units.clock(s) for s in (7.9, 750, 3723)] == ["0:07", "12:30", "1:02:03"]
    assert units.memory(312 * 2**20) == "312 MB"
    assert units.memory(3 * 2**29) == "1.5 GB"
    assert (
        units.shape((16, 3, 3, 3))
        == "16\N{MULTIPLICATION SIGN}3\N{MULTIPLICATION SIGN}3\N{MULTIPLICATION SIGN}3"
    )
    assert units.short("layer1.0.conv1.weight") == "layer1.0.conv1"
    assert units.short("attn.in_proj_weight") == "attn.in_proj_weight"
    assert units.number(-1.25e-7) == "\N{MINUS SIGN}1.25e\N{MINUS SIGN}07"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "+0.012"), (-0.0123, "\N{MINUS SIGN}0.012"), (0, "0"), (-0.0, "0")],
)
def test_a_change_has_one_sign(value, text):
    assert units.signed(value) == text
