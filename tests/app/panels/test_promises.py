"""Promises panel: predicted beside measured, live and from a folder."""

import csv

import pyqtgraph as pg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton

import engine
from app.panels.promises import PromisesPanel
from app.plots import export
from app.plots.empty import EmptyState
from app.records.promises import COLUMNS, Promise, Promises, sentence
from engine.events import Checked, Halved, LayerPromise, Pruned
from engine.recipe import parse

LAYERS = (LayerPromise("a.weight", 10, 0.1, 0.3), LayerPromise("b.weight", 5, 0.1, 0.1))


def prune(step, summed=0.2, joint=0.4, layers=LAYERS, steps=3):
    return Pruned(
        step, steps, 0.0, step / 4, step / 5, 9, (), summed, joint, promises=layers
    )


def check(step, calibration=0.6, held_out=1.0):
    return Checked(step, 0.2, 0.4, calibration, held_out, 0.01, 0.02)


def drawn(qtbot, panel):
    qtbot.waitUntil(lambda: not panel._dirty, timeout=5000)


def button(panel, text):
    return next(b for b in panel.findChildren(QPushButton) if b.text().startswith(text))


def test_it_says_what_to_do_until_a_prune_came(qtbot, show, send, bridge):
    panel = show(PromisesPanel)
    stack = panel._stack
    assert stack.is_empty and "Press Start" in stack.text
    send(prune(1), check(1))
    drawn(qtbot, panel)
    assert not stack.is_empty
    bridge.clear()
    assert stack.is_empty and panel.promises.all == []


def test_predicted_is_hollow_and_measured_solid(qtbot, show, send):
    panel = show(PromisesPanel)
    send(prune(1), check(1), prune(2, 0.5, 0.6), check(2, 0.9, 0.7))
    drawn(qtbot, panel)
    heights = {n: c.getData()[1].tolist() for n, c in panel.figure._points.items()}
    assert heights == {
        "summed": [0.2, 0.5],
        "joint": [0.4, 0.6],
        "calibration": [0.6, 0.9],
        "held_out": [1.0, 0.7],
    }

    def filled(curve):
        return pg.mkBrush(curve.opts["symbolBrush"]).style() != Qt.BrushStyle.NoBrush

    points = panel.figure._points
    assert [filled(points[name]) for name in heights] == [False, False, True, True]
    assert panel.figure._bars["calibration"].opts["height"].tolist() == [0.04, 0.04]


def test_the_ratio_follows_the_chosen_prediction(qtbot, show, send):
    panel = show(PromisesPanel)
    send(prune(1), check(1))
    drawn(qtbot, panel)

    def ratio():
        return 10 ** panel.figure._found["calibration"].getData()[1][0]

    assert ratio() == pytest.approx(0.6 / 0.4)
    assert "1.5 times the promise: kept" in panel.text.text()
    panel.kinds.setFocus()
    qtbot.keyClick(panel.kinds, Qt.Key.Key_Down)
    assert ratio() == pytest.approx(0.6 / 0.2)
    assert "3 times the promise, above the band" in panel.text.text()


def test_the_newest_prune_is_shown_until_one_is_chosen(qtbot, show, send, workspace):
    panel = show(PromisesPanel)
    send(prune(1), check(1), prune(2), check(2))
    drawn(qtbot, panel)
    assert panel.steps.currentData() == 2 and "Prune 2 of 3" in panel.text.text()
    panel.figure.chosen.emit(1)
    send(prune(3, layers=()), check(3))
    drawn(qtbot, panel)
    assert panel.steps.currentData() == 1 and "Prune 1 of 3" in panel.text.text()
    panel.steps.setFocus()
    qtbot.keyClick(panel.steps, Qt.Key.Key_End)
    assert "Prune 3 of 3" in panel.text.text()
    assert panel._layers.is_empty and "does not tell layers apart" in panel._layers.text


def test_a_click_in_the_plot_chooses_the_nearest_prune(qtbot, show, send):
    panel = show(PromisesPanel)
    send(prune(1), check(1), prune(2), check(2))
    drawn(qtbot, panel)
    plot = panel.figure._losses
    at = plot.vb.mapViewToScene(pg.Point(1.1, 0.5))
    view = panel.figure._canvas
    qtbot.mouseClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=view.mapFromScene(at)
    )
    assert panel.steps.currentData() == 1


def test_layers_are_sorted_by_their_share_and_linked(qtbot, show, send, workspace):
    panel = show(PromisesPanel)
    send(prune(1), check(1))
    drawn(qtbot, panel)
    model = panel.table.model()
    shown = [[model.index(r, c).data() for c in (0, 1, 4)] for r in range(2)]
    assert shown == [["a", "10", "75.0 %"], ["b", "5", "25.0 %"]]
    panel.table.setFocus()
    panel.table.selectRow(0)
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert workspace.layer == "b.weight"
    workspace.select_layer("a.weight")
    assert panel.table.currentIndex().row() == 0


def test_an_undone_step_is_drawn_and_told_beside_what_took_its_place(qtbot, show, send):
    panel = show(PromisesPanel)
    tried = Halved(1, 0.0, 0.5, 0.9, 0.2, 0.4, 5.0, 0.1, 1)
    send(tried, prune(1), check(1), tried)  # repeated by a resumed run
    drawn(qtbot, panel)
    assert panel.figure._undone.getData()[1].tolist() == [5.0]
    assert "It was tried to 90.0 % (+5) first, undone" in panel.text.text()
    rows = [dict(zip(COLUMNS, r, strict=True)) for r in panel.promises.rows()]
    assert [r["calibration"] for r in rows if r["what"] == "undone"] == [5.0]


def test_a_repeated_prune_replaces_what_stood_there():
    promises = Promises()
    promises.add([prune(1), check(1), prune(2), check(2), prune(3)])
    promises.add([prune(2, steps=4), check(2, 7.0)])
    assert [each.step for each in promises.all] == [1, 2]
    assert promises.all[-1].calibration == 7.0 and promises.all[-1].steps == 4


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (Promise(1, 1, 0.5, None, None), "this method predicts no loss"),
        (Promise(1, 1, 0.5, 0.2, None), "+0.2 (sum of saliencies); nothing was"),
        (Promise(1, 1, 0.5, 0.2, 0.4, (), -0.1), "did not rise"),
        (Promise(1, 1, 0.5, -0.2, -0.4, (), 0.1), "there is no ratio"),
        (Promise(1, 1, 0.5, 0.2, 0.4, (), 0.04), "0.1 times the promise, below"),
        (Promise(1, 1, 0.5, 0.2, 0.4, (), None, 0.4), "+0.4 on held-out"),
    ],
)
def test_the_sentence_tells_what_became_of_it(promise, words):
    assert words in sentence(promise, "joint")


def test_a_loss_that_fell_or_broke_is_still_drawn_sanely(qtbot, show, send):
    panel = show(PromisesPanel)
    send(prune(1), check(1, -0.5), prune(2), check(2, float("inf"), float("nan")))
    drawn(qtbot, panel)
    x, _ = panel.figure._found["calibration"].getData()
    assert len(x) == 1 and panel.figure._found["calibration"].opts["symbol"] == ["t"]


def test_buttons_save_a_picture_a_drawing_and_all_numbers(
    qtbot, show, send, tmp_path, monkeypatch
):
    panel = show(PromisesPanel)
    send(prune(1), check(1), prune(2), check(2))
    drawn(qtbot, panel)
    asked = iter(
        [("p.png", export.PICTURES), ("p.svg", export.PICTURES), ("p.csv", "")]
    )

    def answer(*_):
        name, kind = next(asked)
        return str(tmp_path / name), kind

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    for _ in range(3):
        qtbot.mouseClick(button(panel, "Save"), Qt.MouseButton.LeftButton)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "Measured on calibration images" in (tmp_path / "p.svg").read_text()
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 2 * (1 + len(LAYERS))
    assert rows[0]["calibration"] == "0.6" and rows[1]["layer"] == "a.weight"


def test_replaying_a_folder_fills_it(qtbot, show, send, tmp_path):
    recipe = parse(
        {
            "estimator": {"samples": 24},
            "schedule": {"recomputations": 2},
            "finetune": {"epochs": 0},
            "machine": {"device": "cpu", "threads": 1},
        }
    )
    engine.run(recipe, tmp_path / "run")
    panel = show(PromisesPanel)
    send(*engine.replay(tmp_path / "run"))
    drawn(qtbot, panel)
    assert [each.step for each in panel.promises.all] == [1, 2]
    assert all(each.calibration_error > 0 for each in panel.promises.all)
    assert panel.model.rowCount() == len(panel.promises.all[0].layers) > 3
    assert not panel.findChild(EmptyState).is_empty
