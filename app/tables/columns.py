"""Columns: which of a table are shown, chosen in its header's menu and remembered."""

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QTableView

from app.preferences import Preferences

SEPARATOR = ", "


class Columns(QObject):
    """Shows and hides columns of a view by title; the first is always there.

    Args:
        view: Its model has the titles.
        name: Of the table, in the preferences.
        usual: Titles that are shown until the person chooses.
        preferences: Where the choice is remembered.
    """

    changed = Signal()

    def __init__(
        self,
        view: QTableView,
        name: str,
        usual: tuple[str, ...],
        preferences: Preferences,
    ) -> None:
        super().__init__(view)
        self._view, self._name, self._usual = view, name, usual
        self._preferences = preferences
        self.menu = QMenu("Columns", view)
        header, model = view.horizontalHeader(), view.model()
        titles = (
            model.headerData(column, Qt.Orientation.Horizontal)
            for column in range(model.columnCount())
        )
        self._actions: dict[str, QAction] = {}
        for column, title in enumerate(titles):
            action = self._actions[title] = QAction(title, self.menu, checkable=True)
            action.setEnabled(column > 0)
            action.toggled.connect(
                lambda on, column=column: view.setColumnHidden(column, not on)
            )
            action.triggered.connect(self._remember)
            self.menu.addAction(action)
        self.menu.addSeparator()
        self.menu.addAction("Usual columns", self.reset)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._pop_up)
        self._show(self._chosen() or usual)

    @property
    def is_chosen(self) -> bool:
        """Whether the person chose."""
        return bool(self._chosen())

    def show(self, title: str, on: bool) -> None:
        """Show a column or not, unless the person has chosen what is shown."""
        if not self.is_chosen and self._actions[title].isChecked() != on:
            self._actions[title].setChecked(on)
            self.changed.emit()

    def reveal(self, title: str) -> None:
        """Show a column because the person wants to use it now."""
        if not self._actions[title].isChecked():
            self._actions[title].setChecked(True)
            self.changed.emit()

    def reset(self) -> None:
        """Show the usual columns again."""
        self._show(self._usual)
        chosen = dict(self._preferences.values.columns)
        chosen.pop(self._name, None)
        self._preferences.change(columns=chosen)
        self.changed.emit()

    def _show(self, titles: tuple[str, ...]) -> None:
        first = next(iter(self._actions))
        for column, (title, action) in enumerate(self._actions.items()):
            shown = title in titles or title == first
            action.setChecked(shown)
            self._view.setColumnHidden(column, not shown)

    def _chosen(self) -> tuple[str, ...]:
        told = self._preferences.values.columns.get(self._name, "")
        return tuple(t for t in told.split(SEPARATOR) if t in self._actions)

    def _remember(self) -> None:
        shown = [title for title, each in self._actions.items() if each.isChecked()]
        chosen = {
            **self._preferences.values.columns, self._name: SEPARATOR.join(shown),
        }  # fmt: skip
        self._preferences.change(columns=chosen)
        self.changed.emit()

    def _pop_up(self, at: QPoint) -> None:
        self.menu.popup(self._view.horizontalHeader().mapToGlobal(at))
