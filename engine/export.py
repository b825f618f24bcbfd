"""Taking the pruned network home: write the file, then prove it in a fresh process."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import InputError, RunError
from engine.exporters import EXPORTERS
from engine.exporters.base import Exporter
from engine.loading import fill, rebuild
from engine.recipe import Recipe
from engine.records import contents
from engine.records.standing import standing
from engine.records.whole import write

IMAGES = 16  # random inputs that dense and exported network must agree on
PATIENCE = 600  # seconds for the fresh process
RUN_FILES = ("recipe.json", "events.jsonl", "summary.json", "model.safetensors")


@dataclass(frozen=True)
class ExportReport:
    """An export and its proof.

    Attributes:
        path: The file.
        format: Its kind.
        bytes: Its size.
        tensors: How many it holds.
        weights: Numbers in its floating-point tensors of two or more dimensions.
        zeros: How many of those are exactly zero.
        difference: Largest absolute logit difference after reloading it.
        moment: Which moment of an unfinished run it is of, in a sentence.
    """

    path: str
    format: str
    bytes: int
    tensors: int
    weights: int
    zeros: int
    difference: float
    moment: str = ""


def export(
    folder: str | Path,
    to: str,
    out: str | Path,
    trust: frozenset[str] = frozenset(),
    replace: bool = False,
) -> ExportReport:
    """Write the run's network as `to`, reload it in a fresh process, compare logits.

    Args:
        folder: Of the run.
        to: Kind of exporter.
        out: The file.
        trust: SHA-256 digests of Python files that may be executed.
        replace: Whether a file that is there may go, for a whole new one.

    Raises:
        InputError: Unknown format, nothing pruned in the folder, or `out` not
            writable, there already, named as another format or a file of the run.
        RunError: The reloaded file could not be checked.
    """
    exporter = _exporter(to)
    out = Path(out).absolute()
    found = standing(folder)
    recipe = contents.recipe_of(folder)
    spec = contents.spec_of(folder)
    _spare(out, Path(folder), recipe)
    _agree(exporter, out)
    if out.is_file() and not replace:
        raise InputError(
            f"{out} exists already.",
            "Choose another name, or let it be replaced with --force.",
        )
    model = rebuild(recipe, spec, trust)
    fill(model, found.weights, f"The network of {folder}")
    ordered = {name: found.weights[name].contiguous() for name in model.state_dict()}
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((IMAGES, *spec.shape), generator=generator)
    content = exporter.encode(ordered)
    try:
        write(out, content)
    except OSError as error:
        raise InputError(
            f"Cannot write {out}: {error.strerror}.", "Choose a file you may write."
        ) from error
    difference = _check(Path(folder).absolute(), exporter, out, model, inputs, trust)
    matrices = [w for w in ordered.values() if w.is_floating_point() and w.ndim > 1]
    return ExportReport(
        path=str(out),
        format=exporter.kind,
        bytes=len(content),
        tensors=len(ordered),
        weights=sum(w.numel() for w in matrices),
        zeros=sum(int((w == 0).sum()) for w in matrices),
        difference=difference,
        moment=found.moment,
    )


def _spare(out: Path, folder: Path, recipe: Recipe) -> None:
    """Refuse to replace what the run needs."""
    run = [folder / name for name in RUN_FILES]
    named = (getattr(recipe.model, key, "") for key in ("checkpoint", "file"))
    sources = [Path(name) for name in named if name]
    if out.resolve() in [file.resolve() for file in (*run, *sources)]:
        raise InputError(
            f"{out} belongs to the run and would be lost.",
            "Choose another name for the export.",
        )


def _agree(exporter: type[Exporter], out: Path) -> None:
    """Refuse a name that promises another format; readers go by the name."""
    for other in EXPORTERS:
        if other is not exporter and out.suffix.lower() == other.suffix:
            raise InputError(
                f"{out.name} is the name of a {other.kind} file, and the format is "
                f"{exporter.kind}.",
                f"Export to {other.kind}, or end the name in {exporter.suffix}.",
            )


def _exporter(kind: str) -> type[Exporter]:
    for exporter in EXPORTERS:
        if exporter.kind == kind:
            return exporter
    known = ", ".join(e.kind for e in EXPORTERS)
    raise InputError(f"There is no export format {kind!r}.", f"Choose one of {known}.")


def _check(
    folder: Path,
    exporter: type[Exporter],
    file: Path,
    model: nn.Module,
    inputs: Tensor,
    trust: frozenset[str],
) -> float:
    with torch.inference_mode():
        logits = model(inputs)
    with tempfile.TemporaryDirectory() as temporary:
        reference = Path(temporary) / "reference.pt"
        torch.save({"inputs": inputs, "logits": logits}, reference)
        command = [
            sys.executable,
            "-m",
            "engine.exporters.check",
            str(folder),
            exporter.kind,
            str(file),
            str(reference),
            *sorted(trust),
        ]
        root = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        try:
            answer = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=True,
                env={**os.environ, "PYTHONPATH": path},
            )
            # The last line: a network's own code may print as well.
            return float(json.loads(answer.stdout.splitlines()[-1])["difference"])
        except (subprocess.SubprocessError, ValueError, LookupError) as error:
            said = (getattr(error, "stderr", "") or "").strip().splitlines()
            raise RunError(
                f"{file} was written, but reloading it in a fresh process failed.",
                "Check the last line: " + (said[-1] if said else str(error)),
                tuple(said),
            ) from error
