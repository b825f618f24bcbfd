"""Log panel: order, filter, scrolling, cap, copying."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication

from app import palette
from app.panels.log import LogPanel
from app.plots.empty import EmptyState
from app.tables.log_model import CAP
from engine.events import (
    CheckpointLoaded,
    ModelLoaded,
    Noticed,
    RunFailed,
    RunFinished,
)


def texts(panel):
    model = panel.model
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def notes(count, level="info"):
    return (Noticed(level, f"Note {i}.") for i in range(count))


def settle(qtbot, panel):
    qtbot.waitUntil(lambda: not panel._pending, timeout=20_000)


def test_the_run_is_told_in_order(show, send, run, bridge):
    panel = show(LogPanel)
    assert panel.findChild(EmptyState).is_empty
    send(*run)
    lines = texts(panel)
    assert "Started in runs/one on CPU, seed 0" in lines[0]
    prune = next(i for i, line in enumerate(lines) if "Prune 1 of 2" in line)
    assert "After the prune: test accuracy 80.00 %" in lines[prune + 1]
    assert "Final network" in lines[-1] and lines[-1].lstrip().startswith("0:24")
    bridge.clear()
    assert texts(panel) == [] and panel.findChild(EmptyState).is_empty


def test_looking_at_the_same_network_again_is_not_told_again(show, send):
    panel = show(LogPanel)
    file, one, two = (
        CheckpointLoaded("a.pth", 3, (), (), (), ()),
        ModelLoaded("one", (), 1, 1),
        ModelLoaded("two", (), 2, 2),
    )
    send(file, one, file, one)
    assert len(texts(panel)) == 2
    send(file, two, file, one)
    assert len(texts(panel)) == 4
    send(Noticed("info", "A run resumes."), file, one)
    assert len(texts(panel)) == 7


def test_warnings_have_their_colour_and_their_filter(qtbot, show, send, run):
    panel = show(LogPanel)
    send(*run, Noticed("warning", "Batch norm moved.", "Re-estimate it."))
    last = panel.model.index(panel.model.rowCount() - 1, 0)
    colour = last.data(Qt.ItemDataRole.ForegroundRole)
    assert colour == QColor(palette.current().warning)
    qtbot.keyClick(panel.filter, Qt.Key.Key_Down)
    assert len(texts(panel)) == 1 and "Batch norm moved. Re-estimate" in texts(panel)[0]
    send(Noticed("info", "Fine."), RunFailed("Broken.", "Mend it.", ("one", "two")))
    assert [line.split(maxsplit=1)[1] for line in texts(panel)[1:]] == [
        "Broken.", "Mend it.", "one", "two",
    ]  # fmt: skip
    qtbot.keyClick(panel.filter, Qt.Key.Key_Up)
    assert any("Fine." in line for line in texts(panel))


def test_no_warnings_is_good_news(qtbot, show, send, run):
    panel = show(LogPanel)
    send(*run)
    qtbot.keyClick(panel.filter, Qt.Key.Key_Down)
    assert "No warnings" in panel.findChild(EmptyState).text


def test_it_follows_until_someone_scrolls_up(qtbot, show, send):
    panel = show(LogPanel)
    send(*notes(200))
    bar = panel.view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(3)
    send(*notes(10))
    assert bar.value() == 3
    panel.view.scrollToBottom()
    send(*notes(10))
    assert bar.value() == bar.maximum()


def test_the_oldest_lines_are_forgotten(qtbot, show, send):
    panel = show(LogPanel)
    send(*notes(CAP + 500))
    settle(qtbot, panel)
    lines = texts(panel)
    assert len(lines) == CAP
    assert lines[0].endswith("Note 500.") and lines[-1].endswith(f"Note {CAP + 499}.")


def test_selected_lines_are_copied_and_all_without_a_selection(qtbot, show, send):
    panel = show(LogPanel)
    send(*notes(3), RunFinished(0.9, 98.0, 97.0))
    panel.copy.trigger()
    assert QGuiApplication.clipboard().text().count("\n") == 4
    panel.view.selectRow(1)
    panel.copy.trigger()
    assert QGuiApplication.clipboard().text() == f"{texts(panel)[1]}\n"
