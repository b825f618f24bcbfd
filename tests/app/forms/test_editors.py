"""The editors: what is typed is what is said."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.forms.editors import ChoiceEditor, ListEditor, PathEditor, TextEditor
from app.forms.number import NumberEditor
from app.forms.row import editor_of
from engine.part import Setting


def setting(type, default=None, **more):
    return Setting(
        name="x", title="X", help="Help.", default=default, type=type, **more
    )


def number(qtbot, type=float, **more):
    editor = NumberEditor(setting(type, **more))
    qtbot.addWidget(editor)
    return editor


def type_in(qtbot, editor, text):
    line = editor.lineEdit() if hasattr(editor, "lineEdit") else editor
    line.selectAll()
    qtbot.keyClicks(line, text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-5, "1e-5"),
        (0.9, "0.9"),
        (1.0, "1"),
        (123456.0, "123456"),
        (2.5e12, "2.5e12"),
    ],
)
def test_real_numbers_read_as_people_write_them(qtbot, value, text):
    editor = number(qtbot)
    editor.show_value(value)
    assert editor.lineEdit().text() == text
    assert editor.read() == value


@pytest.mark.parametrize(
    ("text", "raw"), [("5", 5), ("1e3", 1000), ("2.5", 2.5), ("x", "x"), ("nan", "nan")]
)
def test_whole_numbers_say_what_was_typed(qtbot, text, raw):
    editor = number(qtbot, int)
    said = []
    editor.edited.connect(said.append)
    type_in(qtbot, editor, text)
    assert said[-1] == raw


def test_special_words_stand_for_the_smallest_value(qtbot):
    editor = number(qtbot, int, low=0, special="Whole layer", unit="weights")
    editor.show_value(0)
    assert editor.lineEdit().text() == "Whole layer"
    editor.show_value(2000)
    assert editor.lineEdit().text() == "2000 weights"
    assert editor.read() == 2000
    type_in(qtbot, editor, "whole layer")
    assert editor.read() == 0


def test_arrows_respect_the_bounds(qtbot):
    editor = number(qtbot, int, low=1, high=3)
    editor.show_value(2)
    qtbot.keyClick(editor, Qt.Key.Key_Up)
    qtbot.keyClick(editor, Qt.Key.Key_Up)
    assert editor.read() == 3
    editor.stepBy(-9)
    assert editor.read() == 1


def test_arrows_move_the_second_digit_of_a_small_number(qtbot):
    editor = number(qtbot)
    editor.show_value(1e-5)
    editor.stepBy(1)
    assert editor.read() == pytest.approx(1.1e-5)


def test_text_that_means_the_value_is_left_alone(qtbot):
    editor = number(qtbot)
    type_in(qtbot, editor, "0.90")
    editor.show_value(0.9)
    assert editor.lineEdit().text() == "0.90"


@pytest.mark.parametrize("kind", [int, "choice"])
def test_the_wheel_scrolls_the_panel_not_the_value(qtbot, kind):
    editor = editor_of(setting(kind, choices=(1, 2, 3), low=0))
    qtbot.addWidget(editor)
    editor.show_value(2)
    editor.show()
    editor.setFocus()
    event = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, 120), QPoint(0, 120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(editor, event)
    assert not event.isAccepted()
    shown = editor.currentData() if kind == "choice" else editor.read()
    assert shown == 2


def test_choices_read_as_words_and_answer_with_their_value(qtbot):
    editor = ChoiceEditor.of(setting("choice", choices=("never", "every_step", "sgd")))
    qtbot.addWidget(editor)
    assert [editor.itemText(i) for i in range(3)] == ["Never", "Every step", "SGD"]
    with qtbot.waitSignal(editor.edited) as told:
        editor.setFocus()
        qtbot.keyClick(editor, Qt.Key.Key_Down)
    assert told.args == ["every_step"]


def test_a_list_is_text_between_commas(qtbot):
    editor = ListEditor(setting("list"))
    qtbot.addWidget(editor)
    qtbot.keyClicks(editor, "fc.*, conv1.weight,")
    assert editor.read() == ["fc.*", "conv1.weight"]


def test_a_list_of_numbers_keeps_what_is_no_number_for_validation(qtbot):
    editor = ListEditor(setting("list", item=float))
    qtbot.addWidget(editor)
    editor.show_value((0.5, 1e-5))
    assert editor.text() == "0.5, 1e-5"
    editor.setText("0.5, x")
    assert editor.read() == [0.5, "x"]


def test_a_map_is_pairs_between_commas(qtbot):
    editor = editor_of(setting("map"))
    qtbot.addWidget(editor)
    editor.show_value({"fc": 0.5, "layer1.*": 1e-5})
    assert editor.text() == "fc=0.5, layer1.*=1e-5"
    editor.setText("fc = 0.50, conv1=x, alone,")
    assert editor.read() == {"fc": 0.5, "conv1": "x", "alone": "alone"}
    editor.setText("fc=0.50")
    editor.show_value({"fc": 0.5})
    assert editor.text() == "fc=0.50"


def test_a_path_comes_from_the_chooser_too(qtbot, monkeypatch, tmp_path):
    editor = PathEditor(setting(str, path="folder"))
    qtbot.addWidget(editor)
    monkeypatch.setattr(
        "app.forms.editors.QFileDialog.getExistingDirectory",
        lambda *_: str(tmp_path),
    )
    with qtbot.waitSignal(editor.edited) as told:
        editor.browse.click()
    assert told.args == [str(tmp_path)]
    assert editor.line.text() == str(tmp_path)


def test_ctrl_z_in_a_line_undoes_in_the_window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    editor = TextEditor(setting(str), window)
    undo = QShortcut(QKeySequence.StandardKey.Undo, window)
    with qtbot.waitActive(window):
        window.show()
    editor.setFocus()
    qtbot.keyClicks(editor, "abc")
    with qtbot.waitSignal(undo.activated):
        qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert editor.text() == "abc"
