"""The export dialog: what it tells, and that all of it can be read."""

from pathlib import Path

import pytest

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


def test_the_file_takes_the_suffix_of_the_format(dialog):
    dialog.format.setCurrentIndex(1)
    assert dialog.out.text() == f"{LONG}/pruned{EXPORTERS[1].suffix}"
