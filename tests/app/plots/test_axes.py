"""Ticks and labels of the axes."""

import pytest

from app.plots.axes import CountAxis, PercentAxis, PowerAxis, ProgressAxis
from app.plots.marks import LabelAxis


def words(axis, low, high, size):
    levels = axis.tickValues(low, high, size)
    step, values = levels[0]
    return axis.tickStrings(values, 1.0, step)


def test_decades_are_thinned_until_they_fit(qtbot):
    axis = PowerAxis("bottom")
    assert words(axis, -8.2, -3.9, 600) == ["10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴"]
    assert words(axis, -40, 0, 300) == [
        "10⁻⁴⁰",
        "10⁻³²",
        "10⁻²⁴",
        "10⁻¹⁶",
        "10⁻⁸",
        "10⁰",
    ]


def test_narrow_ranges_have_ticks_too(qtbot):
    axis = PowerAxis("bottom")
    assert words(axis, -5.5, -4.5, 600) == [
        "5\N{MULTIPLICATION SIGN}10⁻⁶",
        "10⁻⁵",
        "2\N{MULTIPLICATION SIGN}10⁻⁵",
    ]
    assert words(axis, -5.22, -5.12, 600)


def test_a_low_plot_of_many_decades_has_few_ticks(qtbot):
    assert words(PowerAxis("left"), -5.0, 1.4, 140) == ["10⁻³", "10⁰"]


def test_counts_read_as_counts_on_both_scales(qtbot):
    axis = CountAxis("left")
    assert words(axis, -0.3, 4.4, 400) == ["1", "10", "100", "1 k", "10 k"]
    axis.log = False
    assert "20 k" in words(axis, 0, 45_000, 400)


def test_percent_has_quarters_until_zoomed(qtbot):
    axis = PercentAxis("left")
    assert words(axis, -5, 105, 90) == ["0", "50", "100"]
    assert len(words(axis, 80, 90, 90)) > 1


def test_there_is_nothing_before_the_start(qtbot):
    assert ProgressAxis("bottom").tickStrings([-1.0, 0.0, 1.5], 1, 1) == [
        "",
        "0",
        "1.5",
    ]


@pytest.mark.parametrize(("size", "shown"), [(1000, 3), (60, 2), (40, 1), (0, 1)])
def test_labels_make_room_for_the_last(qtbot, size, shown):
    axis = LabelAxis()
    axis.set_labels({0.0: "10 %", 1.0: "20 %", 2.0: "30 %"})
    result = words(axis, 0.0, 2.0, size)
    assert len(result) == shown and result[0] == "30 %"
