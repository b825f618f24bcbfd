"""Series: growing, finding, cutting."""

import numpy as np

from app.records.series import Series


def test_rows_come_back_by_column_however_many():
    series = Series("x", "y")
    for start in range(0, 5000, 50):
        series.extend([(float(i), i * 2.0) for i in range(start, start + 50)])
    assert len(series) == 5000
    assert np.array_equal(series.column("x"), np.arange(5000))
    assert series.rows()[-1] == [4999.0, 9998.0]


def test_what_cannot_be_drawn_is_left_out():
    series = Series("x", "y")
    series.extend([(0, 1), (1, float("nan")), (2, float("-inf")), (3, 4)])
    x, y = series.finite("x", "y")
    assert x.tolist() == [0, 3] and y.tolist() == [1, 4]


def test_the_nearest_row_is_found():
    series = Series("x", "y")
    assert series.nearest("x", 1.0) is None
    series.extend([(0, 10), (1, 11), (3, 13)])
    assert series.nearest("x", -5)["y"] == 10
    assert series.nearest("x", 1.9)["y"] == 11
    assert series.nearest("x", 2.1)["y"] == 13
    assert series.nearest("x", 99) == {"x": 3, "y": 13}


def test_cutting_forgets_what_comes_after():
    series = Series("x", "y")
    series.extend([(0, 0), (1, 1), (1, 2), (2, 3)])
    series.cut("x", 1)
    assert series.column("y").tolist() == [0, 1, 2]
    series.extend([(1.5, 9)])
    assert series.column("y").tolist() == [0, 1, 2, 9]
