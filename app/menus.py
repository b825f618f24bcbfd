"""Menus: where each action stands in the menu bar and on the toolbar."""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton, QWidget

from app import assets
from app.actions import Actions
from app.preferences import Preferences


def build_menus(
    window: QMainWindow,
    actions: Actions,
    panels: tuple[QAction, ...],
    preferences: Preferences,
    opened: Callable[[Path], None],
) -> None:
    """Fill the menu bar.

    Args:
        window: Whose bar.
        actions: What can be done.
        panels: Show or hide one panel each.
        preferences: Knows what was opened lately.
        opened: Told which preset or recent thing was chosen.
    """
    bar = window.menuBar()
    file = bar.addMenu("&File")
    file.addActions([actions.open_model, actions.open_recipe, actions.open_run])
    recent = file.addMenu("Open re&cent")
    recent.aboutToShow.connect(lambda: _fill_recent(recent, preferences, opened))
    presets = file.addMenu("Prese&ts")
    for path in assets.presets():
        what, _, how = re.sub(r"_\d_", ": ", path.stem).replace("_", " ").partition(":")
        title = f"{what.capitalize()}:{how}"
        presets.addAction(title).triggered.connect(lambda _, p=path: opened(p))
    file.addSeparator()
    file.addActions([actions.save, actions.export, actions.show_folder])
    file.addSeparator()
    file.addAction(actions.quit)
    edit = bar.addMenu("&Edit")
    edit.addActions([actions.undo, actions.redo])
    edit.addSeparator()
    edit.addAction(actions.preferences)
    run = bar.addMenu("&Run")
    run.addActions([actions.plan, actions.score])
    run.addActions([actions.start, actions.pause, actions.stop, actions.resume])
    run.addSeparator()
    run.addAction(actions.compare)
    view = bar.addMenu("&View")
    view.addActions(panels)
    view.addSeparator()
    themes = view.addMenu("&Theme")
    themes.addActions(actions.themes.actions())
    help = bar.addMenu("&Help")
    help.addAction(actions.about)


def panel_actions(
    window: QMainWindow, panels: tuple[tuple[str, QWidget], ...]
) -> tuple[QAction, ...]:
    """An action for each titled panel that shows or hides it."""
    actions = []
    for title, panel in panels:
        action = QAction(title, window, checkable=True, checked=True)
        action.toggled.connect(panel.setVisible)
        actions.append(action)
    return tuple(actions)


def build_toolbar(window: QMainWindow, actions: Actions) -> QToolButton:
    """Add the toolbar; returns the Open button, whose icon follows the theme."""
    bar = QToolBar("Main", window)
    bar.setObjectName("toolbar")
    bar.setMovable(False)
    bar.setIconSize(QSize(20, 20))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button = QToolButton(bar)
    button.setText("Open")
    button.setToolTip("Open a network, a recipe or a run folder")
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setMenu(actions.open_menu(button))
    actions.fill(bar, button)
    window.addToolBar(bar)
    return button


def _fill_recent(
    menu: QMenu, preferences: Preferences, opened: Callable[[Path], None]
) -> None:
    menu.clear()
    for name in preferences.values.recent:
        menu.addAction(name).triggered.connect(lambda _, p=name: opened(Path(p)))
    if menu.isEmpty():
        menu.addAction("Nothing yet").setEnabled(False)
