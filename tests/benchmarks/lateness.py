"""Lateness: how long the window keeps its event loop waiting during a run."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from tests.benchmarks import table

INTERVAL = 5  # milliseconds between two ticks
POINTS = 100_000
SETTLING = 1000  # milliseconds after the window is ready, before the run
PHASES = {
    "gradients": "curvature", "curvature": "curvature", "selection": "curvature",
    "finetune": "training", "evaluate": "training",
}  # fmt: skip
RECIPE = {
    "model": {"kind": "resnet_cifar"},
    "data": {"kind": "arrays"},
    "estimator": {"kind": "woodfisher", "samples": 300},
    "schedule": {"kind": "one_shot", "recomputations": 3},
    "finetune": {"epochs": 4},
    "machine": {"device": "cpu"},
}


def run(points: int = POINTS) -> None:
    """Print how late a timer fires in a window of its own process."""
    with tempfile.TemporaryDirectory() as home:
        answer = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.lateness", home, str(points)],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    late = json.loads(answer.stdout.splitlines()[-1])
    table.show(
        f"Event loop of the window during a run of ResNet-20, {points:,} curve points "
        "stored: milliseconds late",
        ("doing", "median", "p99", "max", "ticks"),
        ((name, *_summary(values)) for name, values in late.items()),
    )


def _summary(values: list[float]) -> tuple[float, float, float, int]:
    ordered = sorted(values)
    count = len(ordered)
    return ordered[count // 2], ordered[int(count * 0.99)], ordered[-1], count


def write_recipe(home: Path, images: int = 1500, size: int = 32) -> Path:
    """A recipe in `home` that prunes and trains a random ResNet-20 on noise."""
    noise = np.random.default_rng(0).integers(0, 256, (images, 3, size, size), np.uint8)
    np.savez(home / "noise.npz", x=noise, y=np.arange(images) % 10)
    data = {**RECIPE["data"], "file": str(home / "noise.npz")}
    path = home / "recipe.json"
    path.write_text(json.dumps({**RECIPE, "data": data}))
    return path


def watch(home: Path, recipe: Path, points: int) -> dict[str, list[float]]:
    """Run a recipe in a real window; milliseconds late of each tick, by activity."""
    from app.garbage import Garbage
    from app.main_window import MainWindow
    from app.preferences import Preferences
    from engine.events import PhaseStarted, Trained

    garbage = Garbage()
    preferences = Preferences(home / "preferences.json")
    preferences.change(runs=str(home / "runs"))
    window = MainWindow(preferences, recipe)
    bridge, runner, loop = window.bridge, window.runner, QEventLoop()
    post, late, now, last = bridge.post, {}, "", 0.0
    old = iter(np.linspace(0, 1, points).tolist())

    def posted(event) -> None:
        """The live points come after an epoch that is stored already."""
        post(replace(event, epoch=event.epoch + 1) if type(event) is Trained else event)
        if type(event) is PhaseStarted:
            for epoch in old:
                post(Trained(epoch, 2.3 + np.sin(99 * epoch), 0.01))

    def begin(name: str) -> None:
        nonlocal now
        now = name

    def tick() -> None:
        nonlocal last
        before, last = last, time.perf_counter()
        if now and len(window.views.curves.record.training) >= points:
            waited = 1e3 * (last - before) - INTERVAL
            late.setdefault(now, []).append(max(0.0, waited))

    def start() -> None:
        garbage.settle()
        bridge.post = posted
        window.actions_.start.trigger()

    bridge.on(PhaseStarted, lambda events: begin(PHASES.get(events[-1].name, "")))
    runner.run_ended.connect(loop.quit)
    window.inspector.inspect_failed.connect(loop.quit)
    window.inspector.inspected.connect(
        lambda: QTimer.singleShot(SETTLING, start),
        Qt.ConnectionType.SingleShotConnection,
    )
    timer = QTimer(interval=INTERVAL, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start()
    window.resize(1440, 900)
    window.show()
    loop.exec()
    timer.stop()
    stored = len(window.views.curves.record.training)
    window.close()
    if stored < points:
        raise RuntimeError(f"only {stored} of {points} points were stored")
    return late


if __name__ == "__main__":
    application = QApplication([])
    application.setStyle("Fusion")
    folder = Path(sys.argv[1])
    print(json.dumps(watch(folder, write_recipe(folder), int(sys.argv[2]))))
