"""The plan dialog: numbers and reasons, or the remedy."""

from PySide6.QtWidgets import QLabel

from app.dialogs.plan import PlanDialog
from engine.recipe import with_changes

PATIENCE = 60_000


def opened(qtbot, runner, recipe):
    dialog = PlanDialog(recipe, runner)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def cut(dialog):
    """Labels lower than their words."""
    labels = [each for each in dialog.findChildren(QLabel) if each.isVisible()]
    return [x for x in labels if x.height() < x.heightForWidth(x.width())]


def test_a_plan_is_shown_in_rows_with_its_reasons(qtbot, runner, quick):
    recipe = with_changes(
        quick, {"estimator.kind": "woodfisher", "estimator.block_size": "auto"}
    )
    dialog = opened(qtbot, runner, recipe)
    assert not dialog.waiting.isHidden() and dialog.shown == {}
    qtbot.waitUntil(lambda: bool(dialog.shown), timeout=PATIENCE)
    assert dialog.waiting.isHidden() and dialog.progress.isHidden()
    assert dialog.shown["Block size"] == "Whole layers"
    assert "may be used" in dialog.shown["Memory"]
    assert "in memory" in dialog.shown["Gradients"]
    assert "the largest that fit" in dialog.reasons.text()
    assert dialog.banner.text == ""
    qtbot.waitUntil(lambda: not cut(dialog))


def test_what_cannot_fit_is_said_with_a_remedy(qtbot, runner, quick):
    dialog = opened(qtbot, runner, with_changes(quick, {"machine.memory": 0.01}))
    qtbot.waitUntil(lambda: bool(dialog.banner.text), timeout=PATIENCE)
    assert "may use 0.01 GB" in dialog.banner.text
    assert dialog.waiting.isHidden() and dialog.shown == {}


def test_an_answer_about_another_recipe_is_not_shown(qtbot, runner, quick):
    other = with_changes(quick, {"machine.memory": 0.01})
    with qtbot.waitSignal(runner.plan_failed, timeout=PATIENCE):
        runner.plan(other)
        dialog = opened(qtbot, runner, quick)
    assert dialog.banner.text == "" and not dialog.waiting.isHidden()
    qtbot.waitUntil(lambda: bool(dialog.shown), timeout=PATIENCE)


def test_the_action_opens_it(qtbot, window):
    window.actions_.plan.trigger()
    dialog = window.findChild(PlanDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.shown), timeout=PATIENCE)
    dialog.close()
