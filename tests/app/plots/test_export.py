"""Pictures and tables appear whole or not at all."""

import csv

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QFileDialog, QLabel

from app.plots import export
from app.plots.export import save_picture, save_table
from engine.errors import InputError


@pytest.fixture
def label(qtbot):
    widget = QLabel("█████")
    widget.resize(80, 30)
    qtbot.addWidget(widget)
    return widget


def test_a_picture_is_twice_the_size_and_not_blank(label, tmp_path):
    save_picture(label, tmp_path / "a.png")
    image = QImage(str(tmp_path / "a.png"))
    assert (image.width(), image.height()) == (160, 60)
    pixels = {QColor(image.pixel(x, 30)).lightness() for x in range(160)}
    assert max(pixels) - min(pixels) > 100


def test_a_table_quotes_what_must_be_quoted(tmp_path):
    save_table(
        ("a", "b"), [("x,y", 0.1), ('say "no"', float("nan"))], tmp_path / "a.csv"
    )
    rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))
    assert rows == [["a", "b"], ["x,y", "0.1"], ['say "no"', "nan"]]


def test_a_folder_that_is_not_there_is_an_error_with_a_hint(label, tmp_path):
    for save in (
        lambda path: save_picture(label, path),
        lambda path: save_table(("a",), [], path),
    ):
        with pytest.raises(InputError, match="Cannot write") as error:
            save(tmp_path / "missing" / "a.x")
        assert error.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_survives_rows_that_fail(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")

    def rows():
        yield (1,)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        save_table(("a",), rows(), target)
    assert target.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_vector_picture_has_the_words_and_the_size_of_the_widget(label, tmp_path):
    save_picture(label, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert 'viewBox="0 0 80 30"' in text and "<text" in text


@pytest.mark.parametrize(
    ("kind", "saved"), [(export.TABLES, "a.csv"), (export.PICTURES, "a.png")]
)
def test_a_name_without_a_suffix_gets_that_of_its_kind(
    label, monkeypatch, tmp_path, kind, saved
):
    answer = (str(tmp_path / "a"), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
    paths = []
    export.ask_and_save(label, "x.png", export.EVERYTHING, paths.append)
    assert paths == [tmp_path / saved]
