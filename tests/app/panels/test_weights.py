"""Weights: pictures of layers, a chosen weight, and who takes over if it goes."""

import csv
import shutil

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

import engine
from app.looking.networks import Networks
from app.looking.single_weight import FIT, STOP
from app.looking.surgery import Surgery
from app.panels.weights import WeightsPanel
from app.plots.empty import EmptyState
from app.steering.steering import Steering
from engine.events import Saved
from engine.recipe import parse, with_changes

PATIENCE = 60_000
LEFT = Qt.MouseButton.LeftButton
LAYER = "layer2.0.conv1.weight"
QUICK = parse(
    {
        "estimator": {"kind": "woodfisher", "samples": 20, "block_size": 300},
        "finetune": {"epochs": 0},
        "machine": {"device": "cpu", "threads": 1},
    }
)
PLAIN = with_changes(QUICK, {"estimator.kind": "magnitude"})


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    engine.run(PLAIN, folder)
    return folder


@pytest.fixture
def panel(qtbot, workspace, bridge, runner, inspector):
    workspace.set_recipe(QUICK)
    inspector.take_as_seen(QUICK)
    networks = Networks(workspace, bridge, Steering(workspace, bridge))
    panel = WeightsPanel(
        workspace, bridge, networks, Surgery(workspace, networks, runner)
    )
    qtbot.addWidget(panel)
    panel.resize(560, 620)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    networks.close()


@pytest.fixture
def scored(qtbot, panel, workspace, study):
    """The panel with a scored layer in view."""
    workspace.select_layer(LAYER)
    workspace.set_scored(QUICK, study)
    drawn(qtbot, panel)
    return panel


def drawn(qtbot, panel, name=LAYER):
    def ready():
        figure = panel.figure
        return (
            figure.cells is not None
            and figure.grid.layer.name == name
            and not panel._quiet.isActive()
            and figure.cells.window.bottom == figure.window.bottom
        )

    qtbot.waitUntil(ready, timeout=PATIENCE)


def press(qtbot, panel, *keys):
    for key in keys:
        qtbot.keyClick(panel.figure, key)


def test_the_layer_is_drawn_with_what_would_go(scored, workspace, study):
    cells = scored.figure.cells
    values = study.state[LAYER].reshape(32, -1).numpy()
    assert not cells.reduced and np.allclose(cells.values, values)
    units = scored._networks.of("next").units
    assert cells.going.sum() == units[LAYER] > 0 and not cells.gone.any()
    gone = np.zeros(values.size, dtype=bool)
    gone[study.removed(units, LAYER).numpy()] = True
    assert (cells.going.astype(bool) == gone.reshape(values.shape)).all()
    per_row = 1 - gone.reshape(32, -1).mean(1)
    beside, above = scored.figure.margins.rows, scored.figure.margins.columns
    assert beside.after == pytest.approx(100 * per_row)
    assert beside.left.tolist() == [100.0] * 32 and len(above.left) == 16
    names = [scored.bar.layers.itemData(i) for i in range(scored.bar.layers.count())]
    assert names == list(scored._networks.of("next").layers())
    workspace.set_recipe(with_changes(QUICK, {"allocation.sparsity": 0.3}))


def test_the_forecast_moves_the_picture(qtbot, scored, workspace):
    before = scored.figure.cells.going.sum()
    workspace.set_recipe(with_changes(QUICK, {"allocation.sparsity": 0.3}))
    qtbot.waitUntil(lambda: scored.figure.cells.going.sum() < before, timeout=PATIENCE)


def test_keys_choose_fit_and_read(qtbot, scored, workspace, study):
    assert "arrow keys" in scored.single.text.text()
    press(qtbot, scored, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Down)
    assert scored.figure.at == 16 * 9 + 1
    text = scored.single.text.text()
    assert "output 1, input 0, kernel 0, 1: weight" in text
    saliency = scored._networks.of("next").saliency(LAYER, scored.figure.at)
    assert f"rank {saliency.rank:,} of 4,608" in text and "77,072 overall" in text
    assert "Fit this layer to see" in text
    press(qtbot, scored, Qt.Key.Key_Return)
    assert scored.single.button.text() == STOP
    qtbot.waitUntil(lambda: scored.single.removal is not None, timeout=PATIENCE)
    removal = scored.single.removal
    assert workspace.state == "idle" and not scored.single.button.isVisible()
    assert removal.loss == pytest.approx(saliency.value, rel=1e-5)
    assert "predicted to raise the loss" in scored.single.text.text()
    model = scored.single.model
    assert model.rowCount() == 10 == len(scored.figure._movers.points())
    assert model.index(0, 2).data().startswith("\N{WHITE CIRCLE}")
    first = removal.movers[0].position
    scored.single.table.setFocus()
    scored.single.table.selectRow(0)
    qtbot.keyClick(scored.single.table, Qt.Key.Key_Return)
    assert scored.figure.at == first
    qtbot.waitUntil(
        lambda: scored.single.removal and scored.single.removal.position == first,
        timeout=PATIENCE,
    )  # without another fit


def test_a_click_chooses_the_weight_under_the_mouse(qtbot, scored):
    figure = scored.figure
    place = figure._plot.getViewBox().mapViewToScene(QPointF(70.5, 20.5))
    pos = figure._canvas.mapFromScene(place)
    qtbot.mouseClick(figure._canvas.viewport(), LEFT, pos=pos)
    row, column = figure.grid.place(figure.at)
    assert row == 20 and abs(column - 70) <= 1
    figure._moved(QPointF(place))
    assert scored.readout.text().startswith("output 20, input 7")


def test_a_fit_can_be_stopped_and_another_method_takes_it_away(
    qtbot, scored, workspace
):
    press(qtbot, scored, Qt.Key.Key_Down)
    qtbot.mouseClick(scored.single.button, LEFT)
    qtbot.mouseClick(scored.single.button, LEFT)
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=PATIENCE)
    assert scored.single.removal is None and scored.single.button.text() == FIT
    qtbot.mouseClick(scored.single.button, LEFT)
    qtbot.waitUntil(lambda: scored.single.removal is not None, timeout=PATIENCE)
    workspace.set_recipe(with_changes(QUICK, {"estimator.damping": 0.1}))
    assert scored.single.removal is None and not scored.single.button.isEnabled()
    assert "Press Score (F9) again" in scored.single.text.text()
    workspace.set_recipe(QUICK)
    qtbot.waitUntil(scored.single.button.isEnabled, timeout=PATIENCE)
    assert scored.single.removal is None


def test_other_work_takes_the_memory(qtbot, scored, workspace, runner):
    surgery, network = scored.single._surgery, scored._networks.of("next")
    press(qtbot, scored, Qt.Key.Key_Down, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: scored.single.removal is not None, timeout=PATIENCE)
    assert surgery.has(network, LAYER) and not surgery.has(network, "fc.weight")
    runner.look(lambda emit, control, trust: True, lambda answer: None)
    assert not surgery.has(network, LAYER) and scored.single.removal is None
    assert "while a run is going on" in scored.single.text.text()
    qtbot.waitUntil(lambda: workspace.state == "idle", timeout=PATIENCE)
    assert scored.single.button.isEnabled()


def test_methods_without_correction_say_so(qtbot, panel, workspace):
    workspace.set_recipe(PLAIN)
    workspace.select_layer(LAYER)
    workspace.set_scored(PLAIN, engine.score(PLAIN))
    drawn(qtbot, panel)
    press(qtbot, panel, Qt.Key.Key_Down)
    assert "Magnitude corrects nothing" in panel.single.text.text()
    assert not panel.single.button.isVisible()


def test_the_run_on_show_is_read_beside_the_window(qtbot, panel, workspace, run):
    stack = panel.findChild(EmptyState)
    assert stack.is_empty and "Press Score" in stack.text
    panel.bar.networks.setFocus()
    qtbot.keyClick(panel.bar.networks, Qt.Key.Key_Down)
    assert "open a run folder" in stack.text
    workspace.select_layer(LAYER)
    workspace.set_folder(run)
    drawn(qtbot, panel)
    assert not stack.is_empty and panel.figure.cells.gone.any()
    assert not panel.figure.cells.going.any()
    row, column = np.argwhere(panel.figure.cells.gone)[0]
    panel._choose(panel.figure.grid.position(int(row), int(column)))
    assert "is gone" in panel.single.text.text()
    workspace.set_folder(run.parent)
    qtbot.waitUntil(lambda: "not a run folder" in stack.text, timeout=PATIENCE)


def test_a_run_that_goes_on_is_read_again(
    qtbot, panel, workspace, bridge, run, tmp_path
):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    press_down = Qt.Key.Key_Down
    qtbot.keyClick(panel.bar.networks, press_down)
    workspace.select_layer(LAYER)
    workspace.set_folder(folder)
    drawn(qtbot, panel)
    before = panel.figure.cells.gone.sum()
    sparser = with_changes(PLAIN, {"allocation.sparsity": 0.98})
    engine.run(sparser, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", folder)
    bridge.post(Saved(str(folder / "model.safetensors")))
    qtbot.waitUntil(lambda: panel.figure.cells.gone.sum() > before, timeout=PATIENCE)


def test_filters_masks_zoom_and_saving(qtbot, scored, tmp_path):
    bar = scored.bar
    press(qtbot, scored, Qt.Key.Key_Down)
    bar.arrangements.setFocus()
    qtbot.keyClick(bar.arrangements, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: scored.figure.grid.filters, timeout=PATIENCE)
    drawn(qtbot, scored)
    assert scored.figure.cells.values.shape == (32 * 4 - 1, 16 * 4 - 1)
    qtbot.keyClick(bar.looks, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: scored.figure._look == "mask", timeout=PATIENCE)
    assert scored.figure.at == 0  # stays chosen
    press(qtbot, scored, *[Qt.Key.Key_Right] * 5)
    row, column = scored.figure.grid.place(scored.figure.at)
    assert row == 0 and column == 6  # over the gap
    press(qtbot, scored, Qt.Key.Key_Plus, Qt.Key.Key_Plus)
    drawn(qtbot, scored)
    assert scored.figure.cells.values.shape[1] < 40
    press(qtbot, scored, Qt.Key.Key_Home)
    drawn(qtbot, scored)
    for name in ("a.png", "a.svg", "a.csv"):
        scored.save(tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == 32 * 16 * 9 and "<svg" in (tmp_path / "a.svg").read_text()
    assert {row["layer"] for row in rows} == {LAYER}
