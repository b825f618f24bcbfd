"""Errors on screen: words for people, a report for developers."""

import sys
import threading

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton

from app.errors import Net, show_defect, show_error
from engine.errors import EngineError


@pytest.fixture
def net(qapp):
    """A net that collects, and the hooks as they were."""
    caught = []
    net = Net(caught.append)
    net.caught = caught
    yield net
    net.remove()


def test_an_exception_on_a_thread_reaches_the_gui_thread(qtbot, net, capsys):
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(net.caught))
    assert isinstance(net.caught[0], ZeroDivisionError)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_removing_restores_the_hooks(qapp):
    before = (sys.excepthook, threading.excepthook)
    net = Net(lambda error: None)
    assert sys.excepthook != before[0]
    net.remove()
    assert (sys.excepthook, threading.excepthook) == before


def test_an_engine_error_is_two_sentences_without_a_report(qtbot):
    dialog = show_error(EngineError("It happened.", "Do this."))
    assert [b.text() for b in dialog.findChildren(QPushButton)] == ["Close"]
    dialog.reject()


def test_a_defect_can_be_copied_in_full(qtbot):
    try:
        raise KeyError("lost")
    except KeyError as error:
        dialog = show_defect(error)
    copy = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Copy")
    copy.click()
    report = QGuiApplication.clipboard().text()
    assert "KeyError: 'lost'" in report
    assert "PySide6-Essentials" in report
    assert "Traceback" in report
    dialog.reject()
