"""Colours: contrast, and switching between light and dark."""

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app import palette
from app.plots import looks
from app.plots.curves import CurvesFigure
from app.plots.empty import EmptyState
from app.plots.histogram import HistogramFigure
from app.plots.legend import Legend
from app.records.curves import Record
from engine.events import Evaluated, Histogram


@pytest.fixture
def paint_window(qtbot):
    """Change the application's window colour, and change it back."""
    before = QPalette(QApplication.palette())

    def paint(colour):
        changed = QPalette(before)
        changed.setColor(QPalette.ColorRole.Window, QColor(colour))
        QApplication.setPalette(changed)
        QApplication.processEvents()

    yield paint
    QApplication.setPalette(before)


def contrast(one: str, two: str) -> float:
    """WCAG 2 contrast ratio."""

    def luminance(colour):
        parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
        red, green, blue = (
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK])
def test_words_and_lines_can_be_read(colours):
    for name in ("text", "muted", "warning", "error", "success"):
        assert contrast(getattr(colours, name), colours.background) >= 4.5, name
    for name in ("validation", "test", "dense", "sparsity", "learning_rate", "live"):
        assert contrast(getattr(colours, name), colours.background) >= 3, name
    assert contrast(colours.text, colours.selected) >= 4.5


@pytest.mark.parametrize(
    ("lines", "colours"), [(looks.LIGHT, palette.LIGHT), (looks.DARK, palette.DARK)]
)
def test_lines_of_methods_can_be_seen(lines, colours):
    for line in lines:
        assert contrast(line, colours.background) >= 3, line


def test_plots_follow_the_window_between_light_and_dark(qtbot, paint_window):
    paint_window("#ffffff")
    assert palette.current() is palette.LIGHT
    curves, histogram = CurvesFigure(), HistogramFigure()
    record = Record()
    record.add([Evaluated("dense", "test", 0, 0.1, 90, 0, time=1)])
    curves.draw(record, "seconds")
    histogram.draw(Histogram("a", -8, -4, (1, 2), (3, 0), cut=-6.0), True)
    for figure in (curves, histogram):
        qtbot.addWidget(figure)
        figure.resize(400, 300)
        figure.show()
    for window, colours in (("#202020", palette.DARK), ("#f0f0f0", palette.LIGHT)):
        paint_window(window)
        for figure in (curves, histogram):
            image = figure.grab().toImage()
            corner = image.pixelColor(image.width() - 4, image.height() // 2)
            assert corner.name() == colours.background
            assert image.pixelColor(2, 1).name() == colours.background


def test_a_narrow_legend_takes_more_lines(qtbot):
    figure = CurvesFigure()
    qtbot.addWidget(figure)
    legend = figure.findChild(Legend)
    figure.resize(900, 400)
    figure.show()
    one = legend.height()
    figure.resize(260, 400)
    qtbot.waitUntil(lambda: legend.height() >= 2 * one - 8)


def test_an_empty_state_changes_its_sentence(qtbot):
    state = EmptyState(HistogramFigure(), "Press Start.")
    qtbot.addWidget(state)
    state.set_empty(False)
    assert not state.is_empty
    state.set_empty(True, "Choose a layer.")
    assert state.is_empty and state.text == "Choose a layer."
