"""Opens the window: `python main.py [RECIPE | RUN_FOLDER | MODEL_FILE]`."""

import argparse
import os
import sys
from pathlib import Path

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def main() -> int:
    """Read the arguments, see that there is a screen, show the window."""
    parser = argparse.ArgumentParser(
        prog="main.py", description="Secateur: prune neural networks in a window."
    )
    parser.add_argument(
        "path", nargs="?", type=Path, metavar="RECIPE | RUN_FOLDER | MODEL_FILE",
        help="what to open first",
    )  # fmt: skip
    arguments = parser.parse_args()
    if sys.platform == "linux" and not any(os.environ.get(name) for name in SCREENS):
        sys.stderr.write(
            "There is no display to open a window on.\n"
            "Prune without one: python -m engine run RECIPE.json --out FOLDER\n"
        )
        return 2
    from app.application import run  # Qt needs a display, even to be imported safely

    return run(sys.argv[:1], arguments.path)


if __name__ == "__main__":
    sys.exit(main())
