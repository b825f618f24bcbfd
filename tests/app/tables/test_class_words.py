"""Class words and the class table: who gets hurt."""

import pytest
from PySide6.QtCore import Qt

from app.tables.class_table import ClassTableModel, points
from app.tables.class_words import caption, sentence, summary
from engine.looking.classes import ClassChange, ClassReport, Confusion, NewlyWrong

CAT = ClassChange("cat", 100, 90, 60, 32, 2)
DOG = ClassChange("dog", 100, 80, 79, 6, 5)
OWL = ClassChange("owl", 0, 0, 0, 0, 0)
WRONG = NewlyWrong(7, "cat", "dog", 0.931, 0.6, None)


def test_the_worst_class_and_the_grown_confusion_are_told():
    told = summary(
        ClassReport("test", (CAT, DOG, OWL), Confusion("cat", "dog", 3, 30), (WRONG,))
    )
    assert "85.00 % before, 69.50 % after on 200 test images" in told
    assert "38 newly wrong, 7 newly right" in told
    assert "Class cat loses most, \N{MINUS SIGN}30.0 points." in told
    assert "cat is taken for dog in 30 images instead of 3" in told


def test_chance_and_no_loss_are_told():
    assert "which may be chance" in summary(ClassReport("test", (DOG,), None, ()))
    same = ClassChange("dog", 10, 8, 8, 0, 0)
    told = summary(ClassReport("test", (same, OWL), None, ()))
    assert "No class loses." in told and "confusion" not in told


def test_errors_are_of_paired_answers():
    moved = [-1] * 32 + [1] * 2 + [0] * 66
    mean = sum(moved) / 100
    variance = sum((each - mean) ** 2 for each in moved) / 99
    assert CAT.error == pytest.approx(100 * (variance / 100) ** 0.5)


def test_images_are_told_briefly_and_at_length():
    assert caption(WRONG) == "cat \N{RIGHTWARDS ARROW} dog, 93\N{NO-BREAK SPACE}%"
    told = sentence(WRONG, "test")
    assert "Test image 7: cat, taken for dog now, 93.1 % sure" in told
    assert "60.0 %" in told


def test_unknown_comes_last_and_zero_has_no_sign():
    model = ClassTableModel()
    model.set_classes((OWL, CAT))
    changes = [model.index(row, 4).data(Qt.ItemDataRole.UserRole) for row in (0, 1)]
    assert changes == [float("inf"), pytest.approx(-30)]
    assert model.index(0, 4).data() == "unknown"
    assert points(0.0) == points(-0.01) == "0.0" and points(2.04) == "+2.0"
