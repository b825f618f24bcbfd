"""Compare panel: the table fills, the picture grows, files are written."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from app.panels.compare import ComparePanel
from app.plots.empty import EmptyState
from engine.comparing.cells import (
    Cell,
    CellFinished,
    CellStarted,
    ComparisonEnded,
    ComparisonStarted,
)

METHODS, SPARSITIES, SEEDS = ("a <b>", "c"), (0.5, 0.9), (0, 1)
CELLS = tuple(Cell(m, s, seed) for seed in SEEDS for s in SPARSITIES for m in METHODS)
STARTED = ComparisonStarted("/somewhere", METHODS, SPARSITIES, SEEDS, CELLS)


def result(number, final, **more):
    cell = CELLS[number]
    return replace(cell, dense=95.0, final=final, loss=0.1, seconds=2.0, **more)


def finished(number, final):
    return CellFinished(number + 1, 8, result(number, final), 7.0)


@pytest.fixture
def panel(qtbot, bridge):
    panel = ComparePanel(bridge)
    qtbot.addWidget(panel)
    panel.resize(620, 460)
    panel.show()
    return panel


@pytest.fixture
def tell(qtbot, bridge):
    def post(*events):
        for event in events:
            bridge.post(event)
        bridge._drain()

    return post


def words(panel):
    model = panel.model
    return [
        [model.index(row, column).data() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_the_table_fills_as_cells_come(panel, tell):
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "Compare methods" in stack.text
    tell(STARTED, CellStarted(1, 8, CELLS[0], -1.0))
    assert not stack.is_empty
    assert words(panel) == [["…", ""], ["", ""]]
    tell(finished(0, 90.0), CellStarted(2, 8, CELLS[1], 7.0))
    assert words(panel) == [["90.00 (1 of 2)", ""], ["…", ""]]
    assert panel.summary.text() == "1 of 8 cells, about 5 s left"
    tell(*(finished(n, 90.0 - n) for n in range(1, 8)))
    tell(ComparisonEnded(8, 0, 8, False))
    assert words(panel)[0] == ["88.00 ± 2.83", "86.00 ± 2.83"]
    assert panel.summary.text() == "8 of 8 cells"
    x, y = panel.figure.curves[0]
    assert np.allclose(x, [50, 90]) and np.allclose(y, [88, 86])
    assert "a&nbsp;&lt;b&gt;" in panel.figure.legend.text()
    assert "Dense" in panel.figure.legend.text()


def test_the_best_of_a_column_is_bold(panel, tell):
    tell(STARTED, finished(0, 90.0), finished(1, 91.0))
    font = Qt.ItemDataRole.FontRole
    assert panel.model.index(0, 0).data(font) is None
    assert panel.model.index(1, 0).data(font).bold()


def test_a_failed_cell_says_why_and_is_tried_again(panel, tell):
    failed = replace(CELLS[0], error="No such file. Check it.")
    tell(STARTED, CellStarted(1, 8, CELLS[0], -1), CellFinished(1, 8, failed, -1.0))
    index = panel.model.index(0, 0)
    assert index.data() == "1 failed …"
    panel.rest()
    assert index.data() == "1 failed"
    tip = index.data(Qt.ItemDataRole.ToolTipRole)
    assert "Seed 0: failed. No such file" in tip and "Seed 1: not done" in tip
    assert "1 failed" in panel.summary.text()
    tell(CellStarted(1, 8, failed, -1.0))
    assert index.data() == "…"


def test_another_comparison_takes_its_place(panel, tell):
    tell(STARTED, finished(0, 90.0))
    other = (Cell("z", 0.7, 0),)
    tell(ComparisonStarted("/else", ("z",), (0.7,), (0,), other))
    assert words(panel) == [[""]] and panel.folder == Path("/else")
    assert len(panel.figure.curves) == 1 and len(panel.figure.curves[0][0] or ()) == 0


def test_a_double_click_opens_the_run_of_a_seed_that_is_done(qtbot, panel, tell):
    tell(STARTED, finished(0, 90.0))
    with qtbot.waitSignal(panel.cell_opened) as opened:
        panel.view.activated.emit(panel.model.index(0, 0))
    assert opened.args[0] == Path("/somewhere/cells/a-b-0.5-0")
    with qtbot.assertNotEmitted(panel.cell_opened):
        panel.view.activated.emit(panel.model.index(1, 1))


def test_picture_and_data_are_files(panel, tell, tmp_path):
    tell(STARTED, finished(0, 90.0), finished(1, 80.0))
    panel.save(tmp_path / "x.png")
    assert not QImage(str(tmp_path / "x.png")).isNull()
    panel.save(tmp_path / "x.csv")
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert [row["method"] for row in rows] == ["a <b>", "c"]
    assert float(rows[0]["final"]) == 90.0 and rows[0]["error"] == ""
