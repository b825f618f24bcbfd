"""Run in a fresh process: does an exported file give the network's logits?

Reads the file with plain torch (or safetensors), loads it strictly into the dense
network and prints the largest logit difference to the ones it was given.
"""

import json
import sys
from pathlib import Path

import torch

from engine.exporters import EXPORTERS
from engine.loading import rebuild
from engine.records.contents import recipe_of, spec_of


def main(folder: str, kind: str, file: str, reference: str, *trust: str) -> None:
    """Print `{"difference": float}`; any failure is an exception.

    Args:
        folder: The run folder, for the dense network.
        kind: Export format.
        file: What was exported.
        reference: A torch file with `inputs` and `logits`.
        trust: SHA-256 digests of Python files that may be executed.
    """
    recipe = recipe_of(folder)
    model = rebuild(recipe, spec_of(folder), frozenset(trust))
    exporter = next(e for e in EXPORTERS if e.kind == kind)
    model.load_state_dict(exporter.decode(Path(file)), strict=True)
    expected = torch.load(reference, weights_only=True)
    with torch.inference_mode():
        logits = model(expected["inputs"])
    difference = float((logits - expected["logits"]).abs().max())
    sys.stdout.write("\n" + json.dumps({"difference": difference}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
