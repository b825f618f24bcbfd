"""Layer footer: warnings, notes and totals below the layer table."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.tables.checkpoint import CheckpointReport, headline
from app.tables.layer_table import LayerTableModel
from app.tables.units import SEPARATOR, count, many, percent
from engine.events import CheckpointLoaded, ModelLoaded


class LayerFooter(QWidget):
    """Lines that are there while they have something to say.

    Args:
        model: Of the layers that are counted.
        parent: Qt's.
    """

    def __init__(self, model: LayerTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._event: CheckpointLoaded | None = None
        self.alarm, self.note = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.alarm.setProperty("role", "error")
        self.totals = QLabel(wordWrap=True)
        self.checkpoint = QLabel()
        self.checkpoint.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.checkpoint.linkActivated.connect(self._open_report)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 4)
        column.setSpacing(2)
        for label in (self.alarm, self.note, self.totals):
            label.setTextFormat(Qt.TextFormat.PlainText)
            column.addWidget(label)
        column.addWidget(self.checkpoint)
        self.warn("")
        self.tell("")

    def warn(self, text: str) -> None:
        """What is about to disappear."""
        self.alarm.setText(text)
        self.alarm.setVisible(bool(text))

    def tell(self, text: str) -> None:
        """What an edit did, or why it did nothing."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_totals(self, loaded: ModelLoaded | None) -> None:
        """Count the layers."""
        model, layers = self._model, self._model.layers
        rows = [i for i in range(len(layers)) if model.status(i) == "prunable"]
        weights = sum(layers[i].weights for i in rows)
        zeros = sum(layers[i].zeros for i in rows)
        parts = [
            many(len(layers), "layer"),
            f"{count(loaded.parameters if loaded else 0)} parameters",
            f"{count(weights)} prunable in {len(rows)}",
            f"{count(zeros)} zero ({percent(zeros / weights if weights else 0.0)})",
            f"{count(loaded.macs if loaded else 0)} MACs",
        ]
        given = sum(model.row(i).limits.target is not None for i in range(len(layers)))
        if given:
            parts.append(f"{given} overridden")
        self.totals.setText(SEPARATOR.join(parts))

    def show_checkpoint(self, event: CheckpointLoaded | None) -> None:
        """Say in short how a checkpoint met the network."""
        self._event = event
        self.checkpoint.setVisible(event is not None)
        self._link()

    def changeEvent(self, event: QEvent) -> None:
        """A link keeps the colour of the theme that it was written in."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._link()

    def _link(self) -> None:
        if self._event:
            colour = self.palette().color(QPalette.ColorRole.Link).name()
            words = headline(self._event)
            self.checkpoint.setText(
                f'<a href="#report" style="color: {colour}">{words}</a>'
            )

    def _open_report(self) -> None:
        if self._event:
            dialog = CheckpointReport(self._event, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()
