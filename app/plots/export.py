"""Saving what a plot shows: a picture or its numbers, whole or not at all."""

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QIODevice, QPoint, QRect, QRectF, QSaveFile, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QGraphicsView, QMessageBox, QWidget

from app import palette
from engine.errors import InputError

SCALE = 2  # pixels of a picture per pixel of the window: sharp in print
PICTURES = "Pictures (*.png *.svg)"
TABLES = "Tables (*.csv)"
EVERYTHING = f"{PICTURES};;{TABLES}"


def save_picture(widget: QWidget, path: Path) -> None:
    """Write the widget as SVG, or as PNG at twice its size on the screen.

    Raises:
        InputError: The file cannot be written.
    """
    if path.suffix.lower() == ".svg":
        _write(path, lambda file: _draw_svg(widget, file))
        return
    image = QImage(widget.size() * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    image.fill(palette.current().background)
    everything = QRegion(widget.rect())
    widget.render(image, QPoint(), everything, QWidget.RenderFlag.DrawChildren)
    _write(path, lambda file: image.save(file, "PNG"))


def save_table(columns: Iterable[str], rows: Iterable[tuple], path: Path) -> None:
    """Write rows as CSV under a line of column names.

    Raises:
        InputError: The file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    content = text.getvalue().encode()
    _write(path, lambda file: file.write(content) == len(content))


def ask_and_save(
    parent: QWidget, name: str, kinds: str, save: Callable[[Path], None]
) -> None:
    """Ask for a path, save, and say so when that fails.

    Args:
        parent: The window the questions belong to.
        name: Suggested file name; its suffix is added where the answer has none.
        kinds: `TABLES` or `EVERYTHING`.
        save: Called with the path.
    """
    title = "Save data" if kinds == TABLES else "Save picture or data"
    answer, kind = QFileDialog.getSaveFileName(parent, title, name, kinds)
    if not answer:
        return
    path, usual = Path(answer), ".csv" if kind == TABLES else Path(name).suffix
    try:
        save(path if path.suffix else path.with_suffix(usual))
    except InputError as error:
        box = QMessageBox(QMessageBox.Icon.Warning, title, error.message)
        box.setParent(parent, Qt.WindowType.Dialog)
        box.setInformativeText(error.hint)
        box.exec()


def _draw_svg(widget: QWidget, file: QSaveFile) -> bool:
    picture = QSvgGenerator()
    picture.setOutputDevice(file)
    picture.setResolution(widget.logicalDpiX())  # as the texts were measured
    picture.setSize(widget.size())
    picture.setViewBox(widget.rect())
    painter = QPainter(picture)
    painter.fillRect(widget.rect(), QColor(palette.current().background))
    children = QWidget.RenderFlag.DrawChildren
    widget.render(painter, QPoint(), QRegion(widget.rect()), children)
    for view in widget.findChildren(QGraphicsView):  # those are not drawn as shapes
        place = QRectF(QRect(view.mapTo(widget, QPoint()), view.size()))
        view.render(painter, place, view.rect())
    return painter.end()


def _write(path: Path, write: Callable[[QSaveFile], bool]) -> None:
    file = QSaveFile(str(path))
    if (
        not file.open(QIODevice.OpenModeFlag.WriteOnly)
        or not write(file)
        or not file.commit()
    ):
        raise InputError(
            f"Cannot write {path}: {file.errorString()}.",
            "Choose another folder or free some space.",
        )
