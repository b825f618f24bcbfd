"""`make bench`: prints ratios measured within one run; ARGS names what to measure.

The long sections run only when they are named.
"""

import argparse
import os

import torch

from tests.benchmarks import finetune, gradients, inverse, lateness, scale, startup

SECTIONS = {
    "inverse": inverse.run,
    "gradients": gradients.run,
    "finetune": finetune.run,
    "lateness": lateness.run,
    "startup": startup.run,
}
LONG = {"scale": scale.run}


def main() -> None:
    """Run the sections that were asked for; all but the long ones without any."""
    sections = SECTIONS | LONG
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=", ".join(sections))
    chosen = parser.parse_args().section
    unknown = set(chosen) - set(sections)
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}{load}"
    )
    for name in chosen or SECTIONS:
        sections[name]()


if __name__ == "__main__":
    main()
