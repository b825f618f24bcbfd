"""The question asked when the window closes while a run goes on."""

from PySide6.QtWidgets import QMessageBox, QWidget


def ask_to_close(parent: QWidget | None = None) -> str:
    """`stop`, `keep` or `cancel`."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("A run is going on")
    box.setText("A run is going on.")
    box.setInformativeText(
        "Stopping saves everything up to here; the run can be resumed later. "
        "Keep running minimises the window and closes it when the run ends."
    )
    stop = box.addButton("Stop and save", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Keep running", QMessageBox.ButtonRole.ActionRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(stop)
    box.exec()
    return {stop: "stop", keep: "keep"}.get(box.clickedButton(), "cancel")
