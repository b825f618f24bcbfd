"""Checkpoint report: how a checkpoint's keys met the network's, short and full."""

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from engine.events import CheckpointLoaded

PARTS = (
    ("renamed", "renamed", "Renamed: found under another name"),
    ("missing", "missing", "Missing: the network has them, the checkpoint does not"),
    ("unexpected", "unexpected", "Unexpected: only the checkpoint has them"),
    ("misshaped", "of another shape", "Of another shape: not loaded"),
)


def headline(event: CheckpointLoaded) -> str:
    """`Checkpoint: 125 matched, 2 renamed`."""
    counts = ((len(getattr(event, field)), words) for field, words, _ in PARTS)
    said = [f"{event.matched} matched", *(f"{n} {words}" for n, words in counts if n)]
    return f"Checkpoint: {', '.join(said)}"


def report(event: CheckpointLoaded) -> str:
    """Every key of every list, a heading over each."""
    lines = [event.file, headline(event)]
    for field, _, heading in PARTS:
        keys = getattr(event, field)
        if keys:
            lines += ["", f"{heading} ({len(keys)})", *(f"    {key}" for key in keys)]
    return "\n".join(lines)


class CheckpointReport(QDialog):
    """The report as text that can be read, searched and copied."""

    def __init__(self, event: CheckpointLoaded, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Checkpoint")
        self.text = QPlainTextEdit(report(event))
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(560, 420)
