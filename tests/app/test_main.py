"""The entry point: what it says where there is no screen, and how it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="displays are a Linux matter")
def test_without_a_display_two_lines_name_the_headless_command():
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {k: v for k, v in os.environ.items() if k not in screens}
    answer = subprocess.run(
        [sys.executable, ROOT / "main.py"],
        capture_output=True, text=True, env=environment, timeout=60,
    )  # fmt: skip
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 2
    assert "python -m engine run RECIPE.json --out FOLDER" in answer.stderr


def test_the_splash_needs_neither_torch_nor_engine():
    """So that it is painted at once, while those load."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import main, app.application;"
        "print({'torch', 'engine'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, ROOT],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == "set()"
