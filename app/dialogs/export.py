"""ExportDialog: takes the pruned network home and tells what the check found."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.banner import Banner
from app.runner import Runner
from app.tables.units import many, percent, stored
from engine import EXPORTERS, ExportReport
from engine.errors import EngineError

SAME = 1e-6  # largest logit difference that arithmetic in another order explains
CLOSE = 1e-3


class ExportDialog(QDialog):
    """Format and destination, then the result.

    Args:
        folder: The run folder to export from.
        runner: Does it in the background.
        parent: Qt's.
    """

    def __init__(
        self, folder: Path, runner: Runner, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export the pruned network")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._folder = folder
        self._agreed: set[Path] = set()
        self._runner = runner
        self.format = QComboBox(self)
        for exporter in EXPORTERS:
            self.format.addItem(exporter.title, exporter)
        self.out = QLineEdit(self)
        self.out.setText(str(folder / f"pruned{EXPORTERS[0].suffix}"))
        browse = QPushButton("Choose...", self)
        browse.clicked.connect(self._choose)
        self.format.currentIndexChanged.connect(self._on_format)
        destination = QHBoxLayout()
        destination.setSpacing(8)
        destination.addWidget(self.out, 1)
        destination.addWidget(browse)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Format", self.format)
        form.addRow("File", destination)
        self.progress = QProgressBar(self)
        self.progress.setRange(0, 0)
        self.progress.setFormat("")
        self.waiting = QLabel("Writing, then reloading it in a fresh process...", self)
        self.waiting.setProperty("role", "muted")
        self.verdict = QLabel(self)
        self.verdict.setWordWrap(True)
        self.result = QLabel(self)
        self.result.setWordWrap(True)
        self.result.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.banner = Banner(parent=self)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.go = self.buttons.addButton(
            "Export", QDialogButtonBox.ButtonRole.ActionRole
        )
        self.go.setDefault(True)
        close = self.buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)  # Enter while it writes must not close
        self.go.clicked.connect(self.export)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addLayout(form)
        for widget in (
            self.progress, self.waiting, self.verdict, self.result, self.banner,
        ):  # fmt: skip
            widget.hide()
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self.buttons)
        runner.exported.connect(self._on_exported)
        runner.export_failed.connect(self._on_failed)

    def export(self) -> None:
        """Begin."""
        out = self.out.text().strip()
        if not out:
            self.banner.tell("Name the file to write.", "error")
            return
        if not self._may_replace(Path(out).expanduser()):
            return
        self._set_busy(True)
        exporter = self.format.currentData()
        self._runner.export(self._folder, exporter.kind, Path(out).expanduser())

    def _may_replace(self, out: Path) -> bool:
        """Ask once about a file that is there and was not chosen or written here."""
        if not out.exists() or out in self._agreed:
            return True
        answer = QMessageBox.question(
            self, "Replace the file?", f"{out} exists. Replace it?"
        )
        if answer == QMessageBox.StandardButton.Yes:
            self._agreed.add(out)
        return out in self._agreed

    def _set_busy(self, busy: bool) -> None:
        for widget in (self.format, self.out, self.go):
            widget.setEnabled(not busy)
        self.progress.setVisible(busy)
        self.waiting.setVisible(busy)
        self.verdict.hide()
        self.result.hide()
        self.banner.hide()

    def _on_exported(self, report: ExportReport) -> None:
        self._set_busy(False)
        words, role = verdict(report)
        self.verdict.setText(words)
        self.verdict.setProperty("role", role)
        self.verdict.style().unpolish(self.verdict)
        self.verdict.style().polish(self.verdict)
        self.result.setText(described(report))
        self.verdict.show()
        self.result.show()
        self._agreed.add(Path(report.path))
        self._grow()
        self.go.setText("Export again")
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setDefault(True)

    def _grow(self) -> None:
        """Make room for words that take several lines; Qt's own guess is one each."""
        self.layout().activate()
        needed = self.layout().totalHeightForWidth(self.width())
        self.resize(self.width(), max(self.height(), needed))

    def _on_failed(self, error: EngineError) -> None:
        self._set_busy(False)
        self.banner.tell(f"{error.message} {error.hint}", "error")

    def _on_format(self) -> None:
        suffix = self.format.currentData().suffix
        now = self.out.text().strip()
        if now:
            self.out.setText(str(Path(now).with_suffix(suffix)))

    def _choose(self) -> None:
        exporter = self.format.currentData()
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export to", self.out.text(), f"{exporter.title} (*{exporter.suffix})"
        )
        if chosen:
            path = Path(chosen)
            path = path if path.suffix else path.with_suffix(exporter.suffix)
            self._agreed.add(path)  # the file dialog has asked
            self.out.setText(str(path))


def verdict(report: ExportReport) -> tuple[str, str]:
    """What the largest logit difference means, in words, and how to colour it."""
    if report.difference <= SAME:
        return (
            "The reloaded file gives the same answers as the pruned network.",
            "success",
        )
    if report.difference <= CLOSE:
        return (
            "The reloaded file gives the same answers up to rounding.",
            "success",
        )
    return (
        "The reloaded file answers differently. Do not rely on it; export again and "
        "report this if it stays.",
        "error",
    )


def described(report: ExportReport) -> str:
    """The export in numbers."""
    share = report.zeros / report.weights if report.weights else 0.0
    moment = f"{report.moment}\n" if report.moment else ""
    return (
        f"{moment}{report.path}\n"
        f"{stored(report.bytes)} in {many(report.tensors, 'tensor')}\n"
        f"{report.zeros:,} of {report.weights:,} weights are zero ({percent(share)})\n"
        f"Largest logit difference {report.difference:.3g}"
    )
