"""Runs panel: folders that are broken, written to, slow, dropped or many."""

import json
import shutil
import threading

from filelock import FileLock
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLineEdit

import engine
from app.plots import page_bar
from app.tables.runs_table import NOTES, RUN, STATE
from tests.app.panels.runs.reading import cell, read, turn

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton


def test_notes_are_kept_in_the_run_folder(qtbot, full, folder):
    full.view.setCurrentIndex(full.view.proxy.index(2, RUN))
    full.view.setFocus()
    qtbot.keyClick(full.view, Key.Key_F2)
    editor = full.view.findChild(QLineEdit)
    qtbot.keyClicks(editor, "the best")
    qtbot.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(lambda: cell(full, 2, NOTES) == "the best", timeout=5000)
    assert (folder / "c" / "notes.txt").read_text() == "the best\n"


def test_notes_of_a_folder_that_cannot_be_written_are_refused(qtbot, full, folder):
    (folder / "c" / "notes.txt").mkdir()
    full.model.setData(full.model.index(2, NOTES), "x")
    qtbot.waitUntil(lambda: full.note.isVisible(), timeout=5000)
    assert "cannot be written" in full.note.text() and cell(full, 2, NOTES) == ""


def test_runs_that_did_not_end_well_are_shown_as_they_are(qtbot, panel, folder):
    (folder / "a" / "summary.json").write_text("{")  # broken
    content = json.loads((folder / "b" / "recipe.json").read_text())
    content["estimator"]["gone"] = 1  # of another version
    (folder / "b" / "recipe.json").write_text(json.dumps(content))
    (folder / "c" / "events.jsonl").write_text("broken\n")
    (folder / "c" / "summary.json").unlink()
    panel.add([folder, folder / "nowhere"])
    read(qtbot, panel, 3)
    tips = [cell(panel, row, STATE, Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    assert "summary.json cannot be read" in tips[0]
    assert "another version" in tips[1]
    assert cell(panel, 2, STATE) == "Unreadable" and "Not an event" in tips[2]
    for page in range(len(page_bar.PAGES)):
        turn(panel, page)
    shutil.rmtree(folder / "a")
    panel.buttons["Refresh"].click()
    qtbot.waitUntil(lambda: cell(panel, 0, STATE) == "Missing", timeout=5000)


def test_a_run_that_is_being_written_is_followed(qtbot, panel, folder, monkeypatch):
    run = folder / "c"
    (run / "summary.json").unlink()
    path = run / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if '"EpochFinished"' in line)
    path.write_text("".join(lines[:first]))
    panel.runs._again.setInterval(50)
    with FileLock(run / ".lock"):
        panel.add([run])
        read(qtbot, panel, 1)
        assert cell(panel, 0, STATE) == "Running"
        figure = panel.below.figure
        qtbot.waitUntil(lambda: len(figure.traces) == 1)
        assert len(figure.traces[0].line[0]) == 0
        with path.open("a") as file:
            file.write(lines[first])
        qtbot.waitUntil(lambda: len(figure.traces[0].line[0]) == 1, timeout=10_000)
    qtbot.waitUntil(lambda: cell(panel, 0, STATE) == "Interrupted", timeout=10_000)


def test_folders_are_dropped_and_anything_else_is_left_to_the_window(
    qtbot, panel, folder
):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / name)) for name in ("a", "b")])
    move, no = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), move, data, LEFT, no)
    panel.dragEnterEvent(enter)
    assert enter.isAccepted()
    panel.dropEvent(QDropEvent(QPointF(9, 9), move, data, LEFT, no))
    read(qtbot, panel, 2)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / "a" / "recipe.json"))])
    enter = QDragEnterEvent(QPoint(9, 9), move, data, LEFT, no)
    panel.dragEnterEvent(enter)
    assert not enter.isAccepted()


def test_a_folder_without_runs_is_said(qtbot, panel, tmp_path):
    (tmp_path / "bare").mkdir()
    panel.add([tmp_path / "bare"])
    qtbot.waitUntil(lambda: panel.note.isVisible(), timeout=5000)
    assert "no run in bare" in panel.note.text()


def test_the_window_stays_free_while_folders_are_read(
    qtbot, panel, folder, monkeypatch
):
    """A folder that takes its time, such as one on a slow disk, holds nobody up."""
    slow, digest = threading.Event(), engine.digest

    def reading(path):
        slow.wait(10)
        return digest(path)

    monkeypatch.setattr(engine, "digest", reading)
    panel.add([folder])
    qtbot.waitUntil(lambda: len(panel.runs.entries) == 3, timeout=5000)
    qtbot.waitUntil(lambda: cell(panel, 0, STATE) == "Reading…", timeout=5000)
    assert "0 of 3 runs read" in panel.note.text()
    slow.set()
    read(qtbot, panel, 3)
    assert not panel.note.isVisible()


def test_hundreds_of_runs_are_read_in_little_time(qtbot, panel, folder, tmp_path):
    many, heavy = tmp_path / "many", shutil.ignore_patterns("states", "*.safetensors")
    for number in range(200):
        shutil.copytree(folder / "a", many / f"{number:03}", ignore=heavy)
    panel.add([many])
    read(qtbot, panel, 200)
    assert len(panel.model.entries) == 200
    assert len({entry.number for entry in panel.runs.entries}) == 200


def test_nothing_is_read_after_the_end(qtbot, panel, folder):
    panel.close_down()
    panel.add([folder])
    panel.runs.read_again()
    qtbot.wait(50)
    assert panel.runs.entries == []
