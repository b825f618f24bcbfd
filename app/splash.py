"""Splash: something to look at while torch loads, which takes seconds."""

import math
from time import monotonic

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

SIZE = QSize(420, 240)
BACKGROUND, TEXT, MUTED, GREEN = "#12372a", "#f1f5f3", "#a9bab1", "#58b57d"


class Splash(QWidget):
    """Icon, name and a moving bar.

    Args:
        icon: Of the application.
    """

    def __init__(self, icon: QIcon) -> None:
        super().__init__(None, Qt.WindowType.SplashScreen)
        self._icon = icon
        self._began = monotonic()
        self.setFixedSize(SIZE)
        self.move(
            QGuiApplication.primaryScreen().availableGeometry().center()
            - self.rect().center()
        )
        self._timer = QTimer(self, interval=33)
        self._timer.timeout.connect(self.update)
        self._timer.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw everything; there are no child widgets."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(BACKGROUND))
        self._icon.paint(painter, 32, 56, 96, 96)
        font = self.font()
        font.setPixelSize(32)
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(TEXT))
        painter.drawText(QRectF(152, 64, 240, 40), "Secateur")
        font.setPixelSize(13)
        font.setWeight(font.Weight.Normal)
        painter.setFont(font)
        painter.setPen(QColor(MUTED))
        words = "Pruning with second-order information"
        painter.drawText(QRectF(152, 108, 252, 24), words)
        painter.drawText(QRectF(32, 192, 356, 20), "Loading the engine...")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(GREEN))
        phase = 0.5 - 0.5 * math.cos(2.0 * (monotonic() - self._began))
        painter.drawRoundedRect(QRectF(32 + phase * 276, 220, 80, 4), 2, 2)
