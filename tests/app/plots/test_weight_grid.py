"""The weight grid: places there and back, and cells that sum up honestly."""

import numpy as np
import pytest

from app import palette
from app.plots import weight_grid
from app.plots.weight_colours import pixels
from app.plots.weight_grid import Grid, Window, scale
from engine.looking.layer_weights import LayerWeights

SHAPES = [(4, 3), (4, 3, 2, 3), (5, 1, 3, 3), (2, 3, 4), (2, 3, 2, 2, 2), (3, 2, 1, 1)]


def layer(shape, seed=0):
    stream = np.random.default_rng(seed)
    values = stream.normal(size=shape).astype(np.float32)
    gone = stream.random(shape) < 0.2
    going = (stream.random(shape) < 0.4) & ~gone
    return LayerWeights("a.weight", np.where(gone, 0, values), gone, going)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("arrangement", ["matrix", "filters"])
def test_every_weight_has_one_place(shape, arrangement):
    grid = Grid(layer(shape), arrangement)
    rows, columns = grid.shape
    found = [grid.position(r, c) for r in range(rows) for c in range(columns)]
    weights = [position for position in found if position is not None]
    assert sorted(weights) == list(range(np.prod(shape)))
    for position in weights:
        assert grid.position(*grid.place(position)) == position
    assert grid.position(rows, 0) is None and grid.position(0, -1) is None


@pytest.mark.parametrize("arrangement", ["matrix", "filters"])
@pytest.mark.parametrize("kind", ["largest", "mean"])
@pytest.mark.parametrize("at_once", [1_000_000, 40])
def test_cells_sum_up_what_they_cover(monkeypatch, arrangement, kind, at_once):
    monkeypatch.setattr(weight_grid, "MOST_ROWS", 5)
    monkeypatch.setattr(weight_grid, "MOST_COLUMNS", 7)
    monkeypatch.setattr(weight_grid, "AT_ONCE", at_once)
    shown = layer((6, 5, 3, 3))
    grid = Grid(shown, arrangement)
    rows, columns = grid.shape
    cells = grid.cells(Window(1, rows, 2, columns), kind)
    assert cells.values.shape[0] <= 6 and cells.values.shape[1] <= 8
    for row in range(cells.values.shape[0]):
        for column in range(cells.values.shape[1]):
            top = cells.window.top + row * cells.high
            left = cells.window.left + column * cells.wide
            inside = [
                grid.position(r, c)
                for r in range(top, min(top + cells.high, rows))
                for c in range(left, min(left + cells.wide, columns))
            ]
            inside = [position for position in inside if position is not None]
            if not inside:
                assert np.isnan(cells.values[row, column])
                continue
            values = shown.values.reshape(-1)[inside]
            largest = values[np.abs(values).argmax()]
            right = largest if kind == "largest" else np.abs(values).mean()
            assert cells.values[row, column] == pytest.approx(right)
            going = shown.going.reshape(-1)[inside].mean()
            assert cells.going[row, column] == pytest.approx(going)
            gone = shown.gone.reshape(-1)[inside].mean()
            assert cells.gone[row, column] == pytest.approx(gone)
            best = grid.largest(top, left, cells.high, cells.wide)
            assert shown.values.reshape(-1)[best] == largest


def test_small_windows_show_every_weight():
    shown = layer((40, 30, 3, 3))
    cells = Grid(shown, "matrix").cells(Window(3, 9, 10, 40), "largest")
    assert not cells.reduced
    right = shown.values.reshape(40, -1)[3:9, 10:40]
    assert np.array_equal(cells.values, right)


def test_densities_are_shares_of_channels_that_stay():
    shown = layer((4, 3, 2, 3))
    for arrangement, sizes in (("matrix", (1, 6)), ("filters", (3, 4))):
        grid = Grid(shown, arrangement)
        for axis in (0, 1):
            edges, left, after = grid.densities(axis)
            assert np.diff(edges).tolist() == [sizes[axis]] * shown.values.shape[axis]
            for channel in range(shown.values.shape[axis]):
                gone, going = (
                    np.take(x, channel, axis) for x in (shown.gone, shown.going)
                )
                assert left[channel] == pytest.approx(1 - gone.mean())
                assert after[channel] == pytest.approx(1 - (gone | going).mean())


def test_what_would_go_is_hollow_and_what_is_gone_solid(qapp):
    shown = LayerWeights(
        "a.weight",
        np.array([[1.0, 1.0, 0.0]], dtype=np.float32),
        np.array([[False, False, True]]),
        np.array([[False, True, False]]),
    )
    cells = Grid(shown, "matrix").cells(Window(0, 1, 0, 3), "largest")
    image = pixels(cells, "weights", 1.0, palette.LIGHT)
    each = image.shape[0]
    middles = [tuple(image[each // 2, each // 2 + i * each, :3]) for i in range(3)]
    edges = [tuple(image[0, each // 2 + i * each, :3]) for i in range(3)]
    assert middles[0] == edges[0] == edges[1] == (0x0B, 0x5F, 0xC0)
    assert middles[1] == (255, 255, 255)
    assert middles[2] == edges[2] == (0xDF, 0xE3, 0xE8)
    mask = pixels(cells, "mask", 1.0, palette.LIGHT)
    assert tuple(mask[each // 2, -2, :3]) == (0xE2, 0xA2, 0x5F)


def test_the_scale_ignores_outliers_and_never_is_zero():
    values = np.ones(1000, dtype=np.float32)
    values[0] = 50
    assert scale(values) == 1.0
    assert scale(np.zeros(4)) == 1.0
