"""What the flows of the window share: one with preferences of its own, and clicks."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolBar

from app.main_window import MainWindow
from app.preferences import Preferences
from engine.recipe import parse

PATIENCE = 120_000  # milliseconds


@pytest.fixture
def window(qtbot, request, tmp_path):
    """The window with the module's `RECIPE`, its network on show."""
    preferences = Preferences(tmp_path / "preferences.json")
    preferences.change(runs=str(tmp_path / "runs"), theme="light")
    window = MainWindow(preferences)
    window.workspace.set_recipe(parse(getattr(request.module, "RECIPE", {})))
    with qtbot.waitSignal(window.inspector.inspected, timeout=PATIENCE):
        window.show()
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture
def click(qtbot, window):
    """Clicks the toolbar button of an action."""

    def click(action):
        button = window.findChild(QToolBar).widgetForAction(action)
        assert button.isEnabled()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return click
