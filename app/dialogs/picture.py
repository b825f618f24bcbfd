"""Picture dialog: one image, large, with a sentence below it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

LARGE = 420  # pixels of the longer side


class PictureDialog(QDialog):
    """Closes with Escape.

    Args:
        image: As it is stored; small ones are enlarged without blurring.
        words: What it is.
        parent: The window it belongs to.
    """

    def __init__(
        self, image: QImage, words: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Newly wrong image")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picture, self.words = QLabel(), QLabel(words, wordWrap=True)
        small = max(image.width(), image.height()) < LARGE
        mode = Qt.TransformationMode
        self.picture.setPixmap(
            QPixmap.fromImage(image).scaled(
                LARGE,
                LARGE,
                Qt.AspectRatioMode.KeepAspectRatio,
                mode.FastTransformation if small else mode.SmoothTransformation,
            )
        )
        self.picture.setAccessibleName(words)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setMaximumWidth(LARGE)
        column = QVBoxLayout(self)
        column.addWidget(self.picture)
        column.addWidget(self.words)
