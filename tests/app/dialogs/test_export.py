"""The export dialog: what it tells, and that all of it can be read."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox

from app.dialogs.export import ExportDialog
from engine import EXPORTERS, ExportReport

LONG = "/home/somebody/Documents/Secateur/runs/20261121-004740-demo-woodfisher-80"


@pytest.fixture
def dialog(qtbot, runner):
    dialog = ExportDialog(Path(LONG), runner)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_every_line_of_the_result_is_in_view(qtbot, dialog, runner):
    report = ExportReport(f"{LONG}/pruned.pth", "pth", 330171, 56, 61542, 77072, 0.0)
    runner.exported.emit(report)
    assert "Largest logit difference 0" in dialog.result.text()
    for label in (dialog.verdict, dialog.result):
        qtbot.waitUntil(
            lambda label=label: label.height() >= label.heightForWidth(label.width())
        )


def test_an_unfinished_run_is_said_to_be_one(dialog, runner):
    moment = "The run stopped at prune 2 of 4; this is the network at 40.0 % sparsity."
    runner.exported.emit(ExportReport("a.pth", "pth", 1, 1, 1, 1, 0.0, moment))
    assert dialog.result.text().startswith(moment)


def test_the_file_takes_the_suffix_of_the_format(dialog):
    dialog.format.setCurrentIndex(1)
    assert dialog.out.text() == f"{LONG}/pruned{EXPORTERS[1].suffix}"


def test_a_file_that_is_there_is_replaced_only_when_agreed(
    dialog, runner, tmp_path, monkeypatch
):
    out = tmp_path / "precious.pth"
    out.write_text("mine")
    asked, wanted = [], []
    monkeypatch.setattr(runner, "export", lambda *job: wanted.append(job))
    answers = iter([QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes])

    def question(*words):
        asked.append(words)
        return next(answers)

    monkeypatch.setattr(QMessageBox, "question", question)
    dialog.out.setText(str(out))
    dialog.go.click()
    assert len(asked) == 1 and wanted == []
    dialog.go.click()
    assert len(asked) == 2 and wanted[0][2] == out
