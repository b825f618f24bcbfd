"""Makes a checkpoint that has not converged: noise, then batch norm measured anew."""

import sys
from pathlib import Path

import torch

from engine.job import Job
from engine.monitor import Monitor
from engine.recipe import Recipe, load
from engine.repair import reestimate_batch_norm

NOISE = 0.7  # standard deviation, relative to that of each layer's weights
IMAGES, BATCH = 2000, 500  # of the batch-norm statistics


def make(recipe: Recipe, path: Path) -> None:
    """Write the recipe's network with noise on its prunable weights, from seed 0."""
    job, generator = Job(recipe, Monitor(), frozenset()), torch.Generator()
    generator.manual_seed(0)
    for weight in job.problem.weights().values():
        noise = torch.randn(weight.shape, generator=generator).to(weight)
        weight.add_(noise * weight.std(), alpha=NOISE)
    train = job.data.train
    reestimate_batch_norm(job.model, train, IMAGES, BATCH, 0, Monitor())
    torch.save({"state_dict": job.model.state_dict()}, path)


if __name__ == "__main__":  # python -m tests.benchmarks.unconverged RECIPE OUT
    make(load(sys.argv[1]), Path(sys.argv[2]))
