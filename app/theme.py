"""Theme: light, dark or as the desktop has it, for all of the window at once."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QToolButton

from app import assets
from app.actions import Actions
from app.preferences import Preferences


class Theme(QObject):
    """Colours the application, and the icons that do not follow by themselves.

    Args:
        preferences: Where the choice is remembered.
        actions: Have icons; one action for each theme shows which is in use.
        button: Opens files, and has an icon that is no action's.
        parent: Qt's.
    """

    def __init__(
        self,
        preferences: Preferences,
        actions: Actions,
        button: QToolButton,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._actions = actions
        self._button = button

    def choose(self, action: QAction) -> None:
        """Use and remember the theme of this action."""
        self._preferences.change(theme=action.data())
        self.renew()

    def follow(self) -> None:
        """The desktop has changed its colours."""
        if self._preferences.values.theme == "system":
            self.renew()

    def renew(self) -> None:
        """Use the theme that is remembered."""
        theme, hints = self._preferences.values.theme, QApplication.styleHints()
        hints.blockSignals(True)  # our own change of scheme is not the desktop's
        assets.apply_theme(QApplication.instance(), theme)
        hints.blockSignals(False)
        self._actions.recolour()
        self._button.setIcon(assets.icon("folder-open-outline"))
        for action in self._actions.themes.actions():
            action.setChecked(action.data() == theme)
