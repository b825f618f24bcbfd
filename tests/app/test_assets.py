"""Themes and presets: what the style sheet and the recipes must not lose."""

import pytest
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from app import assets
from engine.recipe import load


@pytest.fixture(params=["light", "dark"])
def themed(request, qapp):
    """Each theme, and the plain look again afterwards."""
    palette, sheet = qapp.palette(), qapp.styleSheet()
    assets.apply_theme(qapp, request.param)
    yield request.param
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)
    qapp.styleHints().unsetColorScheme()


def contrast(one, other):
    """As the WCAG define it; 3 is what the edge of a control needs."""

    def luminance(colour):
        channels = (colour.redF(), colour.greenF(), colour.blueF())
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in channels
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_an_empty_check_box_can_be_seen(qtbot, themed):
    box = QCheckBox("Log counts")
    qtbot.addWidget(box)
    box.show()
    option = QStyleOptionButton()
    box.initStyleOption(option)
    part = QStyle.SubElement.SE_CheckBoxIndicator
    where = box.style().subElementRect(part, option, box)
    image = box.grab().toImage()
    middle = where.center().y()
    edge = [image.pixelColor(where.left() + x, middle) for x in range(3)]
    inside = image.pixelColor(where.center())
    assert max(contrast(colour, inside) for colour in edge) >= 3


@pytest.mark.parametrize("path", assets.presets(), ids=lambda path: path.stem)
def test_every_preset_is_a_valid_recipe(path):
    assert load(path).schedule.levels(0.9, load(path).finetune.epochs)
