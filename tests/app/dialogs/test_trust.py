"""The trust dialog: exact content, explicit consent."""

import hashlib

import pytest

from app.dialogs.trust import TrustDialog

SOURCE = "import torch\n\n\ndef build(): ...\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "network.py"
    path.write_text(SOURCE)
    return path


def open_dialog(qtbot, path, content=SOURCE):
    digest = hashlib.sha256(content.encode()).hexdigest()
    dialog = TrustDialog(path, digest)
    qtbot.addWidget(dialog)
    return dialog


def test_it_shows_the_source_and_cannot_be_edited(qtbot, file):
    dialog = open_dialog(qtbot, file)
    assert dialog.source.toPlainText() == SOURCE
    assert dialog.source.isReadOnly()


def test_trusting_takes_a_click_on_that_button(qtbot, file):
    dialog = open_dialog(qtbot, file)
    assert not dialog.trust.isDefault()
    with qtbot.waitSignal(dialog.accepted):
        dialog.trust.click()


def test_another_content_than_asked_about_cannot_be_trusted(qtbot, file):
    dialog = open_dialog(qtbot, file, content="something else")
    assert not dialog.trust.isEnabled()
    assert "changed" in dialog.source.toPlainText()


def test_a_missing_file_cannot_be_trusted(qtbot, tmp_path):
    dialog = open_dialog(qtbot, tmp_path / "gone.py")
    assert not dialog.trust.isEnabled()
