"""`make bench`: prints ratios measured within one run; ARGS names what to measure."""

import argparse
import os

import torch

from tests.benchmarks import finetune, gradients, inverse, lateness, startup

SECTIONS = {
    "inverse": inverse.run,
    "gradients": gradients.run,
    "finetune": finetune.run,
    "lateness": lateness.run,
    "startup": startup.run,
}


def main() -> None:
    """Run the sections that were asked for, all without any."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=", ".join(SECTIONS))
    chosen = parser.parse_args().section
    unknown = set(chosen) - set(SECTIONS)
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}{load}"
    )
    for name in chosen or SECTIONS:
        SECTIONS[name]()


if __name__ == "__main__":
    main()
