"""The compare dialog: what is chosen, counted, refused, saved."""

import pytest
from PySide6.QtCore import Qt

from app.dialogs.compare import CompareDialog
from engine.comparing.comparison import load_comparison
from engine.errors import InputError
from engine.recipe import with_changes


@pytest.fixture
def dialog(qtbot, quick):
    dialog = CompareDialog(with_changes(quick, {"finetune.epochs": 2}))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def tick(dialog, *titles):
    for row in range(dialog.methods.count()):
        item = dialog.methods.item(row)
        on = item.text() in titles
        item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def type_in(qtbot, line, text):
    line.clear()
    qtbot.keyClicks(line, text)


def test_methods_sparsities_and_seeds_become_a_comparison(qtbot, dialog):
    tick(dialog, "Magnitude", "Random", "WoodFisher")
    type_in(qtbot, dialog.sparsities, "50 %, 99.5")
    type_in(qtbot, dialog.seeds, "3 4")
    spec = dialog.comparison()
    assert spec.methods["Magnitude"] == {}  # the recipe's own
    assert spec.methods["Random"] == {"estimator.kind": "random"}
    assert spec.sparsities == (0.5, 0.995) and spec.seeds == (3, 4) and not spec.keep
    assert spec.recipe.finetune.epochs == 2
    assert dialog.count.text() == "3 methods, 2 sparsities, 2 seeds: 12 runs"
    dialog.one_shot.setChecked(True)
    assert dialog.comparison().recipe.finetune.epochs == 0


def test_one_of_each_is_said_in_the_singular(qtbot, dialog):
    tick(dialog, "Magnitude")
    type_in(qtbot, dialog.sparsities, "50")
    type_in(qtbot, dialog.seeds, "0")
    assert dialog.count.text() == "1 method, 1 sparsity, 1 seed: 1 run"


def test_nothing_moves_when_an_error_appears(qtbot, dialog):
    before = dialog.size(), dialog.methods.geometry(), dialog.buttons.geometry()
    for wrong in ("50, x", "100"):
        type_in(qtbot, dialog.sparsities, wrong)
        qtbot.waitUntil(lambda: dialog.banner.height() > 20)
        after = dialog.size(), dialog.methods.geometry(), dialog.buttons.geometry()
        assert dialog.banner.text and after == before
    type_in(qtbot, dialog.sparsities, "50")
    assert dialog.banner.isHidden() and dialog.count.isVisible()


def test_repair_doubles_the_methods(dialog):
    tick(dialog, "Magnitude")
    dialog.repaired.setChecked(True)
    spec = dialog.comparison()
    repair = {cell.method: spec.recipe_of(cell).repair.layers for cell in spec.cells()}
    assert repair == {"Magnitude": "never", "Magnitude, repaired": "end"}
    assert list(spec.methods) == ["Magnitude", "Magnitude, repaired"]


@pytest.mark.parametrize(
    ("sparsities", "seeds", "words"),
    [
        ("", "0", "sparsities is empty"),
        ("50, x", "0", "Sparsities must be numbers"),
        ("100", "0", "less than 1"),
        ("50, 50", "0", "names one twice"),
        ("50", "0.5", "Seeds must be whole numbers between"),
        ("50", "-1", "greater than or equal to 0"),
        ("nan", "0", "finite number"),
    ],
)
def test_what_does_not_fit_is_said_at_once(qtbot, dialog, sparsities, seeds, words):
    type_in(qtbot, dialog.sparsities, sparsities)
    type_in(qtbot, dialog.seeds, seeds)
    if not sparsities:
        dialog.sparsities.textEdited.emit("")
    assert words in dialog.banner.text
    assert not dialog.start.isEnabled() and dialog.count.isHidden()
    with pytest.raises(InputError):
        dialog.comparison()


def test_no_method_is_no_comparison(dialog):
    tick(dialog)
    assert "methods is empty" in dialog.banner.text
    tick(dialog, "Random")
    assert dialog.banner.text == "" and dialog.start.isEnabled()


def test_it_is_saved_for_the_command_line(dialog, tmp_path):
    dialog.save_as(tmp_path / "spec.json")
    assert load_comparison(tmp_path / "spec.json") == dialog.comparison()
    dialog.save_as(tmp_path / "spec.json" / "below a file.json")
    assert "Cannot write" in dialog.banner.text


def test_start_hands_it_over(qtbot, dialog):
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    spec = dialog.comparison()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.start.click()
    assert chosen.args[0] == spec and dialog.isHidden()
