"""Cells: means, spreads and the time that is left."""

from dataclasses import replace

import pytest

from engine.comparing.cells import Cell, Spread, groups, seconds_left


def cell(method, sparsity, seed, final=None, seconds=None, error=""):
    return Cell(method, sparsity, seed, final=final, seconds=seconds, error=error)


def test_seeds_are_gathered_and_sparsities_ascend():
    cells = [
        cell("b", 0.9, 0, 40.0, 1.0),
        cell("b", 0.5, 0, 90.0, 1.0),
        cell("a", 0.9, 0, error="no"),
        cell("b", 0.9, 1, 44.0, 1.0),
        cell("b", 0.9, 2),
    ]
    first, second, third = groups(cells)
    assert (first.method, first.sparsity, first.total) == ("b", 0.5, 1)
    assert first.final == Spread(90.0, None, 1)
    assert (second.total, second.failed) == (3, 0)
    assert second.final.mean == 42 and second.final.count == 2
    assert second.final.deviation == pytest.approx(8**0.5)  # n - 1
    assert second.repaired is None
    assert third.failed == 1 and third.final is None


def test_numbers_that_are_not_finite_are_left_out():
    assert Spread.of([1.0, float("nan"), None]) == Spread(1.0, None, 1)
    assert Spread.of([None]) is None


def test_time_left_goes_by_the_method_else_by_all():
    cells = [cell("a", 0.5, 0), cell("b", 0.5, 0), cell("c", 0.5, 0)]
    assert seconds_left(cells) == -1
    cells = [replace(cells[0], seconds=10.0), replace(cells[1], seconds=2.0), cells[2]]
    assert seconds_left(cells) == 6
    waiting = [cell("a", 0.9, 0), cell("b", 0.9, 0), cell("b", 0.9, 1, error="no")]
    assert seconds_left([*cells, *waiting]) == 6 + 10 + 2
