"""What a run amounts to, as `summary.json` tells it."""

import dataclasses
from typing import Any

from engine import machine, masks
from engine.job import Job
from engine.layers import layer_states, parameter_count, total_macs, uses
from engine.records.codec import finite

PHASES = ("gradients", "curvature", "selection", "repair", "finetune", "evaluate")


def summarise(job: Job) -> dict[str, Any]:
    """The contract of `summary.json`, plus notices and predictions.

    Accuracies in percent, sparsities as fractions, times in seconds; a number that is
    not finite becomes null.
    """
    results = {stage: _measure(m) for stage, m in job.results.items()}
    zeros = masks.zeros(job.masks)
    timings = {name: round(job.monitor.timings.get(name, 0.0), 3) for name in PHASES}
    used, total = uses(job.layers), total_macs(job.layers)
    gone = sum(used[name] * int((~mask).sum()) for name, mask in job.masks.items())
    shapes = {layer.name: layer.shape for layer in job.layers}
    return {
        **results,
        "sparsity": masks.sparsity(job.masks),
        "sparsity_all": zeros / parameter_count(job.model),
        "zeros": zeros,
        "prunable": masks.total(job.masks),
        "parameters": parameter_count(job.model),
        "macs_dense": total,
        "macs": round(total - gone),
        "layers": [
            {**dataclasses.asdict(state), "shape": list(shapes[state.name])}
            for state in layer_states(job.masks, job.thresholds)
        ],
        "predicted": [_finite(each) for each in job.predictions],
        "halved": [_finite(each) for each in job.adaptive.halved],
        "amendments": [
            each.model_dump() for each in job.given.amendments[: job.amended]
        ],
        "epochs": job.finetuner.epoch,
        "best_epoch": job.finetuner.best["epoch"] if job.finetuner.best else None,
        "timings": timings,
        "seconds": round(job.monitor.now(), 3),
        "predicted_peak_bytes": job.budget.peak,
        "block_size": job.budget.block_size,
        "paged": job.problem.storage.folder is not None,
        "half_precision": job.problem.storage.half,
        "peak_memory_bytes": machine.memory_peak(job.device),
        "device": machine.describe(job.device),
        "processes": job.ranks.size,
        "seed": job.recipe.machine.seed,
        "mask_sha256": masks.digest(job.masks),
        "notices": job.monitor.notices,
    }


def _measure(measure: Any) -> dict[str, float | None]:
    return _finite(dataclasses.asdict(measure))


def _finite(numbers: dict[str, float | None]) -> dict[str, float | None]:
    return {key: finite(value) for key, value in numbers.items()}
