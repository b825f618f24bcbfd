"""Thumbnails: newly wrong images, what each is and what it is taken for."""

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QWidget

from app.plots.base import small_font
from app.tables.class_words import caption, sentence
from engine.looking.classes import NewlyWrong

SIDE = 56  # pixels of a thumbnail
CELL = QSize(118, 98)


class Thumbnails(QListWidget):
    """In rows; a click or Enter opens one."""

    opened = Signal(object)  # NewlyWrong

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wrong: tuple[NewlyWrong, ...] = ()
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(CELL)
        self.setFont(small_font())
        self.setWordWrap(True)
        self.setUniformItemSizes(True)
        self.setAccessibleName("Newly wrong images")
        self.itemClicked.connect(self._open)
        self.itemActivated.connect(self._open)

    def show_images(self, wrong: tuple[NewlyWrong, ...], split: str) -> None:
        """Show these, in this order."""
        self.clear()
        self._wrong = wrong
        for each in wrong:
            item = QListWidgetItem(caption(each), self)
            item.setToolTip(sentence(each, split))
            if each.picture is not None:
                large = QPixmap.fromImage(as_image(each.picture))
                mode = Qt.TransformationMode
                fast = max(large.width(), large.height()) < SIDE
                item.setIcon(
                    QIcon(
                        large.scaled(
                            SIDE,
                            SIDE,
                            Qt.AspectRatioMode.KeepAspectRatio,
                            mode.FastTransformation
                            if fast
                            else mode.SmoothTransformation,
                        )
                    )
                )

    def _open(self, item: QListWidgetItem) -> None:
        self.opened.emit(self._wrong[self.row(item)])


def as_image(pixels: np.ndarray) -> QImage:
    """A picture (height, width, 3) uint8 that keeps its own memory."""
    height, width, _ = pixels.shape
    kind = QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, 3 * width, kind).copy()
