"""The question asked when the window closes while the engine works."""

from PySide6.QtWidgets import QMessageBox, QWidget

RUN = (
    "A run is going on.",
    "Stopping saves everything up to here; the run can be resumed later. "
    "Keep running minimises the window and closes it when the run ends.",
    ("Stop and save", "Keep running"),
)
LOOK = (
    "A measurement is going on.",
    "Stopping loses what is not measured yet; no run is changed. "
    "Keep measuring minimises the window and closes it at the end.",
    ("Stop and close", "Keep measuring"),
)


def ask_to_close(looking: bool, parent: QWidget | None = None) -> str:
    """`stop`, `keep` or `cancel`.

    Args:
        looking: Whether it is a look, of which nothing is saved, and not a run.
        parent: Qt's.
    """
    title, told, (stopping, keeping) = LOOK if looking else RUN
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title.rstrip("."))
    box.setText(title)
    box.setInformativeText(told)
    stop = box.addButton(stopping, QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton(keeping, QMessageBox.ButtonRole.ActionRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(stop)
    box.exec()
    return {stop: "stop", keep: "keep"}.get(box.clickedButton(), "cancel")
