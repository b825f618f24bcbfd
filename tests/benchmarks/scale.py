"""Scale: one-shot WoodFisher on ImageNet-sized networks, each in a process of its own.

Random weights on random images cost what trained ones on real images cost.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks import table

NETWORKS = (
    "resnet18", "mobilenet_v2", "resnet34", "resnet50", "vit_b_16", "resnet101",
    "resnet152",
)  # fmt: skip
PHASES = ("gradients", "curvature", "selection")
GIGA = 1e9


def run(
    networks: tuple[str, ...] = NETWORKS,
    samples: int = 400,
    block: int = 2000,
    side: int = 224,
    memory: float = 14.5,
) -> None:
    """Print weights, seconds by phase and peak memory of each network.

    Args:
        networks: Of torchvision.
        samples: Gradients N of one image each.
        block: Weights per block.
        side: Height and width of the images.
        memory: What a run may use, in GB; gradients beyond it go to the disk.
    """
    table.show(
        f"WoodFisher to 90 % in one shot, N = {samples}, b = 1, block {block}, "
        f"{side} x {side} images, at most {memory:g} GB",
        ("", "M weights", *(f"s {phase}" for phase in PHASES), "GB peak", "planned",
         "kept on"),
        _rows(networks, samples, block, side, memory),
    )  # fmt: skip


def _rows(
    networks: tuple[str, ...], samples: int, block: int, side: int, memory: float
) -> Iterator[tuple]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _images(folder / "images.npz", samples, side)
        for network in networks:
            content = {
                "model": {"kind": "torchvision", "name": network},
                "data": {"kind": "arrays", "file": str(folder / "images.npz")},
                "estimator": {"samples": samples, "batch": 1, "block_size": block},
                "allocation": {"sparsity": 0.9},
                "finetune": {"epochs": 0},
                "machine": {"memory": memory, "batch": 8},
            }
            summary = _pruned(content, folder / network)
            assert abs(summary["sparsity"] - 0.9) < 1e-6
            yield (
                network,
                summary["prunable"] / 1e6,
                *(summary["timings"][phase] for phase in PHASES),
                summary["peak_memory_bytes"] / GIGA,
                summary["predicted_peak_bytes"] / GIGA,
                ("disk" if summary["paged"] else "memory")
                + "/2" * summary["half_precision"],
            )


def _images(path: Path, samples: int, side: int) -> None:
    """Noise in ten classes: enough to train on, a few to measure on."""
    random = np.random.default_rng(0)

    def noise(count: int) -> np.ndarray:
        return random.integers(0, 256, (count, 3, side, side), dtype=np.uint8)

    train, test = samples + samples // 4 + 20, 10
    np.savez(
        path,
        x=noise(train),
        y=np.arange(train) % 10,
        x_test=noise(test),
        y_test=np.arange(test) % 10,
    )


def _pruned(content: dict, folder: Path) -> dict:
    recipe = folder.with_suffix(".json")
    recipe.write_text(json.dumps(content))
    command = [sys.executable, "-m", "engine", "run", recipe, "--out", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "model.safetensors").unlink()
    return summary
