"""Start-up: seconds from the start of a process to its first painted window."""

import json
import os
import subprocess
import sys
import tempfile
import time
from statistics import median

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from tests.benchmarks import table


def run(count: int = 5) -> None:
    """Print the median and the slowest of several fresh starts."""
    with tempfile.TemporaryDirectory() as home:
        starts = [_start(home) for _ in range(count)]
    table.show(
        f"Start-up, {count} fresh processes: seconds after the process was started",
        ("", "median", "slowest"),
        (
            (text, median(s[name] for s in starts), max(s[name] for s in starts))
            for name, text in (
                ("painted", "splash painted"),
                ("ready", "window with its layers"),
            )
        ),
    )


def _start(home: str) -> dict[str, float]:
    began = time.monotonic()  # the same clock in every process
    answer = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.startup"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": home},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    times = json.loads(answer.stdout.splitlines()[-1])
    return {name: at - began for name, at in times.items()}


def watch() -> None:
    """Start the program, note when it paints and is ready, and close it again."""
    import main
    from app.splash import Splash

    times: dict[str, float] = {}
    paint, look = Splash.paintEvent, QTimer(interval=10)

    def painted(splash, event) -> None:
        paint(splash, event)
        times.setdefault("painted", time.monotonic())
        look.start()

    def ready() -> None:
        for window in QApplication.topLevelWidgets():
            table = getattr(window, "layer_table", None)
            if table is not None and window.isVisible() and table.model.rowCount():
                times["ready"] = time.monotonic()
                look.stop()
                window.close()

    look.timeout.connect(ready)
    Splash.paintEvent = painted
    sys.argv[1:] = []
    main.main()
    print(json.dumps(times))


if __name__ == "__main__":
    watch()
