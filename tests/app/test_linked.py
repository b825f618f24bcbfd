"""Linked selection: a layer chosen in any view is chosen in every other one."""

import shutil

import pytest
from PySide6.QtCore import QPointF, Qt

import engine
from engine.recipe import parse

LEFT = Qt.MouseButton.LeftButton
SCORED = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 40, "block_size": 300},
        "finetune": {"epochs": 0},
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture
def window(qtbot, window, tmp_path):
    """A run on show and in the table of runs."""
    run = tmp_path / "runs" / "one"
    engine.run(SCORED, run)
    window.resize(1366, 768)
    with qtbot.waitSignal(window.history.opened, timeout=20_000):
        window.files.open(run)
    window.views.setCurrentWidget(window.views.runs)
    window.views.runs.add([run])
    qtbot.waitUntil(lambda: len(window.views.runs.below.figure.traces), timeout=10_000)
    window.views.runs.below.bar.pages.setCurrentIndex(3)
    window.views.runs.below.bar.pages.activated.emit(3)
    yield window
    shutil.rmtree(run)


def shown(window):
    """The layer that each view has as the chosen one."""
    views = window.views
    table = window.layer_table.view
    promise = views.promises.table.currentIndex()
    price = views.sensitivity.view.currentIndex()
    grid = views.runs.below
    return {
        "table": table.selected(),
        "bars": [views.layers.view.currentIndex().data(Qt.ItemDataRole.UserRole)],
        "histogram": [views.thresholds.shown.name],
        "box": [views.thresholds.layers.currentData()],
        "curves": [views.sensitivity.figure._chosen],
        "prices": [price.siblingAtColumn(0).data(Qt.ItemDataRole.UserRole)],
        "promises": [promise.siblingAtColumn(0).data(Qt.ItemDataRole.UserRole)],
        "runs": [grid.layers.lines[grid.layers_view.currentIndex().row()].key],
    }


def all_show(qtbot, window, name):
    for view in (
        window.views.layers, window.views.thresholds, window.views.sensitivity,
        window.views.promises, window.views.runs,
    ):  # fmt: skip
        window.views.setCurrentWidget(view)
        qtbot.wait(1)
    assert shown(window) == {view: [name] for view in shown(window)}


def click(qtbot, view, index):
    view.scrollTo(index)
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.visualRect(index).center())


def test_a_layer_is_chosen_everywhere_from_anywhere(qtbot, window):
    window.runner.score()
    qtbot.waitUntil(lambda: window.steering.forecast is not None, timeout=30_000)
    views = window.views
    table, names = window.layer_table, window.steering.names()
    row = [info.name for info in table.model.layers].index(names[3])
    click(qtbot, table.view, table.view.proxy.index(row, 1))
    all_show(qtbot, window, names[3])

    views.setCurrentWidget(views.layers)
    click(qtbot, views.layers.view, views.layers.model.index(5))
    all_show(qtbot, window, names[5])

    views.setCurrentWidget(views.thresholds)
    views.thresholds.layers.setFocus()
    qtbot.keyClick(views.thresholds.layers, Qt.Key.Key_Down)
    all_show(qtbot, window, names[6])

    views.setCurrentWidget(views.thresholds)
    views.thresholds.every.click()
    views.thresholds.multiples.layer_chosen.emit(names[1])
    views.thresholds.every.click()
    all_show(qtbot, window, names[1])

    views.setCurrentWidget(views.sensitivity)
    figure = views.sensitivity.figure
    qtbot.wait(50)  # the axes are laid out when they are painted
    spot = next(spot for spot in figure._marks.points() if spot.data() == names[0])
    scene = figure._plot.getViewBox().mapViewToScene(QPointF(spot.pos()))
    at = figure._canvas.mapFromScene(scene)
    qtbot.mouseClick(figure._canvas.viewport(), LEFT, pos=at)
    all_show(qtbot, window, names[0])

    views.setCurrentWidget(views.sensitivity)
    click(qtbot, views.sensitivity.view, views.sensitivity.proxy.index(2, 1))
    all_show(qtbot, window, names[2])

    views.setCurrentWidget(views.promises)
    promises = views.promises.table
    rows = [promises.model().index(row, 0) for row in range(len(names))]
    index = next(i for i in rows if i.data(Qt.ItemDataRole.UserRole) == names[4])
    click(qtbot, promises, index)
    all_show(qtbot, window, names[4])

    views.setCurrentWidget(views.runs)
    below = views.runs.below
    click(qtbot, below.layers_view, below.layers.index(7, 1))
    all_show(qtbot, window, names[7])


def test_a_run_opens_from_the_table_of_runs(qtbot, window, tmp_path):
    views = window.views
    window.workspace.set_folder(None)
    views.setCurrentWidget(views.runs)
    index = views.runs.view.proxy.index(0, 1)
    at = views.runs.view.visualRect(index).center()
    qtbot.mouseClick(views.runs.view.viewport(), LEFT, pos=at)
    qtbot.mouseDClick(views.runs.view.viewport(), LEFT, pos=at)
    assert window.workspace.folder == tmp_path / "runs" / "one"
