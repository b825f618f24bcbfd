"""Assets: icons, colours and the style sheet from the resources folder."""

import json
from pathlib import Path
from string import Template

import qtawesome
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from app.palette import is_dark

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
THEMES = ("system", "light", "dark")


def application_icon() -> QIcon:
    """The pruning shears."""
    return QIcon(str(RESOURCES / "icons" / "secateur.svg"))


def icon(name: str, role: str = "text") -> QIcon:
    """A symbol of Material Design Icons in a colour of the current theme."""
    colours = theme_colours(is_dark())
    return qtawesome.icon(
        f"mdi6.{name}", color=colours[role], color_disabled=colours["disabled"]
    )


def presets() -> tuple[Path, ...]:
    """The recipes that come with the program, in the order of their names."""
    return tuple(sorted((RESOURCES / "presets").glob("*.json")))


def theme_colours(dark: bool) -> dict[str, str]:
    """The colours of a theme by meaning."""
    name = "dark" if dark else "light"
    return json.loads((RESOURCES / "styles" / f"{name}.json").read_text("utf-8"))


def apply_theme(app: QApplication, theme: str) -> None:
    """Colour the whole application: `light`, `dark`, or as the `system` says."""
    scheme = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    app.styleHints().setColorScheme(scheme.get(theme, Qt.ColorScheme.Unknown))
    dark = theme == "dark" or (
        theme == "system" and app.styleHints().colorScheme() == Qt.ColorScheme.Dark
    )
    colours = theme_colours(dark)
    app.setPalette(_palette(colours))
    styles = RESOURCES / "styles"
    words = {"folder": styles.as_posix(), "theme": "dark" if dark else "light"}
    sheet = Template((styles / "window.qss").read_text("utf-8"))
    text = sheet.substitute(colours, **words)
    if text != app.styleSheet():  # setting it anew would restyle every widget
        app.setStyleSheet(text)


def _palette(colours: dict[str, str]) -> QPalette:
    role = QPalette.ColorRole
    roles = {
        role.Window: "window", role.WindowText: "text", role.Base: "surface",
        role.AlternateBase: "raised", role.Text: "text", role.Button: "raised",
        role.ButtonText: "text", role.ToolTipBase: "raised", role.ToolTipText: "text",
        role.PlaceholderText: "muted", role.Highlight: "accent",
        role.HighlightedText: "accent_text", role.Link: "accent",
        role.Accent: "accent", role.Mid: "strong", role.Dark: "strong",
        role.Midlight: "border", role.Light: "surface", role.BrightText: "error",
    }  # fmt: skip
    palette = QPalette()
    for each, name in roles.items():
        palette.setColor(each, QColor(colours[name]))
    off = QPalette.ColorGroup.Disabled
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(off, each, QColor(colours["disabled"]))
    return palette
