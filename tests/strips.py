"""A schedule strip that is moved by mouse and keys, as a person would."""

from PySide6.QtCore import QPointF, Qt

from app.panels.schedule import SchedulePanel
from app.steering.schedule.strip import Strip
from engine.recipe import parse

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
GRADUAL = {
    "estimator": {"kind": "magnitude"},
    "allocation": {"sparsity": 0.9},
    "schedule": {"kind": "gradual", "first": 0.4, "start": 1, "end": 5},
    "finetune": {"epochs": 8, "batch": 512},
    "checks": {"images": 0},
    "machine": {"device": "cpu", "threads": 1},
}


def build(qtbot, workspace, bridge, runner):
    """A panel of a gradual schedule, on show and in focus."""
    workspace.set_recipe(parse(GRADUAL))
    strip = Strip(workspace, bridge, runner)
    panel = SchedulePanel(strip)
    strip.setParent(panel)  # ends with it, on this thread
    qtbot.addWidget(panel)
    panel.resize(640, 480)
    panel.show()
    panel.activateWindow()
    qtbot.waitExposed(panel)
    panel.figure.setFocus()
    return panel


def hold_at(monkeypatch, bridge, runner, kind):
    """Have the run pause at its first event of a kind, however fast it is."""
    post, held = bridge.post, []

    def watch(event):
        post(event)
        if isinstance(event, kind) and not held:
            held.append(event)
            runner._control.pause()

    monkeypatch.setattr(bridge, "post", watch)


def choose(qtbot, panel, name):
    """By Tab, or Shift and Tab."""
    grips = panel.figure.grips
    names = list(grips._handles)
    forward = names.index(name) > names.index(grips.name)
    while grips.name != name:
        assert panel.figure.focusNextPrevChild(forward)


def press(qtbot, panel, *keys):
    for key in keys:
        more = isinstance(key, tuple)
        qtbot.keyClick(
            panel.figure, key[0] if more else key,
            SHIFT if more else Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip


def drag(qtbot, panel, name, x, y, release=True):
    """Take a grip by the mouse and let it go at this place of its plot."""
    figure = panel.figure
    item = figure.grips.items[name]
    box, viewport = item.getViewBox(), figure._canvas.viewport()

    def place(at):
        return figure._canvas.mapFromScene(box.mapViewToScene(at))

    start, end = place(QPointF(item.pos())), place(QPointF(x, y))
    qtbot.mouseMove(viewport, start)
    qtbot.mousePress(viewport, LEFT, pos=start)
    for step in range(1, 7):
        qtbot.mouseMove(viewport, start + (end - start) * step / 6)
        qtbot.wait(10)
    if release:
        qtbot.mouseRelease(viewport, LEFT, pos=end)
