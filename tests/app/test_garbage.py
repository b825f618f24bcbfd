"""Where and when what cannot be reached any more is freed."""

import gc
import threading

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QWidget

from app.garbage import Garbage

PATIENCE = 10_000


@pytest.fixture
def garbage(qapp):
    garbage = Garbage()
    yield garbage
    garbage.deleteLater()
    gc.unfreeze()
    gc.enable()


def test_what_start_up_made_is_never_searched_for_garbage_again(garbage):
    made = {"by": "start-up"}
    made["itself"] = made  # a cycle, so that the collector knows it
    garbage.settle()
    assert not any(each is made for each in gc.get_objects())
    gc.unfreeze()
    assert any(each is made for each in gc.get_objects())


def test_a_widget_in_a_cycle_is_freed_on_the_gui_thread(qtbot, garbage):
    places = []

    class Lost(QWidget):
        def __del__(self):
            places.append(QThread.currentThread())

    lost = Lost()
    lost.itself = lost
    del lost

    def busy():  # makes what would call for the collector
        for _ in range(10 * gc.get_threshold()[0]):
            cycle = []
            cycle.append(cycle)

    worker = threading.Thread(target=busy)
    worker.start()
    worker.join()
    assert places == []
    qtbot.waitUntil(lambda: bool(places), timeout=PATIENCE)
    assert places == [QThread.currentThread()]
