"""Palette: the colours of plots and tables by meaning, for light and dark."""

from dataclasses import dataclass

from PySide6.QtGui import QColor, QGuiApplication, QPalette

FAINT = 0.14  # opacity inside hollow bars


@dataclass(frozen=True)
class Palette:
    """Colours as `#rrggbb`; validation, test and training differ in lightness too.

    Attributes:
        background: Behind plots.
        text: Words and ticks.
        muted: Words that matter less, axis lines.
        grid: Lines behind data, tracks of bars.
        training, validation, test: The three splits.
        dense: The reference that pruning is measured against.
        sparsity: Share of weights removed, and bars of it.
        learning_rate: Its curve.
        prune: Lines that mark a prune.
        live, removed, cut: Weights that stay, that go, and the threshold between.
        selected: Behind the selected layer.
        warning, error, success: Lines of the log.
    """

    background: str
    text: str
    muted: str
    grid: str
    training: str
    validation: str
    test: str
    dense: str
    sparsity: str
    learning_rate: str
    prune: str
    live: str
    removed: str
    cut: str
    selected: str
    warning: str
    error: str
    success: str


LIGHT = Palette(
    background="#ffffff",
    text="#1f2328",
    muted="#5d6670",
    grid="#dfe3e8",
    training="#9aa4b0",
    validation="#0b5fc0",
    test="#c2500a",
    dense="#4b535c",
    sparsity="#7a3fd0",
    learning_rate="#0f7a80",
    prune="#b79ce0",
    live="#0b5fc0",
    removed="#e2a25f",
    cut="#b3142a",
    selected="#d9e9fb",
    warning="#8a5a00",
    error="#b3142a",
    success="#156f2f",
)
DARK = Palette(
    background="#16191e",
    text="#e3e7ec",
    muted="#9aa5b1",
    grid="#31373f",
    training="#6d7784",
    validation="#5aa9ff",
    test="#ff9a52",
    dense="#b4bec9",
    sparsity="#b993ff",
    learning_rate="#45c4c9",
    prune="#6f5a99",
    live="#5aa9ff",
    removed="#a8713a",
    cut="#ff6b7d",
    selected="#1f3a57",
    warning="#e5b454",
    error="#ff7b87",
    success="#5fcf80",
)


def current() -> Palette:
    """The palette that fits the application's window colour."""
    return DARK if is_dark() else LIGHT


def is_dark() -> bool:
    """Whether the application palette writes light on dark."""
    window = QGuiApplication.palette().color(QPalette.ColorRole.Window)
    return window.lightness() < 128


def blend(colour: str, alpha: float) -> QColor:
    """The colour with an opacity between 0 and 1."""
    mixed = QColor(colour)
    mixed.setAlphaF(alpha)
    return mixed
