"""The recipe groups that are plain settings: repair, fine-tuning and the machine."""

import math
from typing import Literal

from pydantic import ConfigDict

from engine.part import Part, field

When = Literal["never", "end", "every_step"]


class Repair(Part):
    """What mends the network without labels."""

    model_config = ConfigDict(title="Repair")
    layers: When = field(
        "never",
        "Least squares per layer",
        "Refit the kept weights to the dense network's outputs, layer by layer, after "
        "the last prune or after every step (the strongest single help).",
    )
    batch_norm: When = field(
        "never",
        "Re-estimate batch norm",
        "Measure batch-norm statistics anew after the last prune or after every step.",
    )
    samples: int = field(
        2000,
        "Images",
        "Training images to repair with (no labels used).",
        ge=2,
        le=10_000_000,
    )
    weighted: bool = field(
        False,
        "Weigh output channels",
        "Least squares mind an error in an output channel as much as the class scores "
        "do; slower, and often better at high sparsity.",
    )
    positions: int = field(
        20_000,
        "Positions per layer",
        "Output positions, of all images together, that least squares look at; "
        "several times the inputs of a channel are plenty.",
        ge=1,
        le=100_000_000,
        advanced=True,
    )
    ridge: float = field(
        1e-3,
        "Ridge",
        "Holds the refitted weights near the ones before, relative to the mean square "
        "of the inputs; 1e-4 to 1e-2.",
        gt=0,
        le=100,
        advanced=True,
    )

    distil: When = field(
        "never",
        "Distil",
        "Train the kept weights to give the dense network's class probabilities, "
        "without labels, after the last prune or after every step.",
    )
    distil_samples: int = field(
        20_000,
        "Images to distil with",
        "Training images that are shown (no labels used).",
        ge=2,
        le=10_000_000,
    )
    passes: int = field(
        4,
        "Passes",
        "How often each of them is shown; more is better and slower.",
        ge=1,
        le=1000,
    )
    learning_rate: float = field(
        1e-3,
        "Learning rate",
        "Of Adam when distillation begins; it falls to zero along half a cosine.",
        gt=0,
        le=1,
        advanced=True,
    )

    def due(self, when: str) -> bool:
        """Whether anything is repaired at the `end` or after `every_step`."""
        return when in (self.layers, self.batch_norm, self.distil)


class Checks(Part):
    """What is measured beside the run, to tell how far to trust its predictions."""

    model_config = ConfigDict(title="Checks")
    images: int = field(
        200,
        "Check images",
        "Calibration and held-out images, so many of each, on which every prune's "
        "predicted loss change is compared with the measured one; 0 is none.",
        ge=0,
        le=10_000_000,
        unit="images",
    )
    bootstrap: int = field(
        0,
        "Bootstrap samples",
        "Samples of the gradients with replacement that tell how stable each layer's "
        "mask is; each costs as much as the curvature. 0 is none, 10 are plenty.",
        ge=0,
        le=1000,
        advanced=True,
    )


class Finetune(Part):
    """Training between and after prunes, with masks held."""

    model_config = ConfigDict(title="Fine-tuning")
    epochs: int = field(
        3,
        "Epochs",
        "Fine-tuning in all, between and after prunes; 0 is none.",
        ge=0,
        le=100_000,
    )
    batch: int = field(
        64, "Batch size", "Images per optimiser step.", ge=1, le=65_536, unit="images"
    )
    optimizer: Literal["sgd", "adamw"] = field(
        "sgd", "Optimiser", "SGD with momentum, or AdamW."
    )
    learning_rate: float = field(
        0.01,
        "Learning rate",
        "At the start; 0.005 to 0.02 suits SGD, 1e-4 AdamW.",
        gt=0,
        le=100,
    )
    decay: Literal["constant", "step", "cosine"] = field(
        "cosine", "Learning-rate schedule", "How the learning rate falls."
    )
    decay_every: int = field(
        2,
        "Step every",
        "Epochs between two drops of the step schedule.",
        ge=1,
        le=100_000,
        unit="epochs",
        advanced=True,
    )
    decay_factor: float = field(
        0.1,
        "Step factor",
        "Multiplies the learning rate at each drop.",
        gt=0,
        le=1,
        advanced=True,
    )
    momentum: float = field(0.9, "Momentum", "Of SGD.", ge=0, lt=1, advanced=True)
    weight_decay: float = field(
        1e-4, "Weight decay", "Pull of the weights towards zero.", ge=0, le=10
    )
    decay_off_after_prune: bool = field(
        False,
        "No weight decay after the last prune",
        "A small gain at high sparsity, say WoodFisher's authors.",
        advanced=True,
    )
    label_smoothing: float = field(
        0.0,
        "Label smoothing",
        "Softens the labels while fine-tuning.",
        ge=0,
        lt=1,
        advanced=True,
    )
    mixed_precision: bool = field(
        False,
        "Mixed precision",
        "bfloat16 arithmetic on a CUDA GPU; ignored on CPU.",
        advanced=True,
    )
    keep: Literal["best", "last"] = field(
        "best",
        "Keep epoch",
        "The best epoch on the validation split after the last prune, or the last.",
        advanced=True,
    )

    def rate_at(self, epoch: float) -> float:
        """The learning rate after `epoch` epochs (fractional) of the whole training."""
        start = self.learning_rate
        if self.decay == "step":
            return start * self.decay_factor ** math.floor(epoch / self.decay_every)
        if self.decay == "cosine":
            done = min(epoch / max(self.epochs, 1), 1.0)
            return start * 0.5 * (1 + math.cos(math.pi * done))
        return start


class Machine(Part):
    """Where the run happens and from which seed."""

    model_config = ConfigDict(title="Machine")
    device: Literal["auto", "cpu", "cuda"] = field(
        "auto", "Device", "auto takes the GPU when there is one."
    )
    seed: int = field(
        0, "Seed", "Same recipe, same seed, same masks.", ge=0, le=2**31 - 1
    )
    threads: int = field(
        0,
        "CPU threads",
        "For arithmetic.",
        ge=0,
        le=1024,
        special="All",
        advanced=True,
    )
    processes: int = field(
        1,
        "Processes",
        "The window starts as many on this machine, one per GPU where there are GPUs; "
        "1 is the window's own. Without a window: torchrun --nproc-per-node.",
        ge=1,
        le=1024,
        advanced=True,
    )
    memory: float = field(
        0.0,
        "Memory",
        "What the run may use on its device, the program itself included; gradients "
        "that need more are kept in half precision or on the disk.",
        ge=0,
        le=100_000,
        special="What is free",
        unit="GB",
        advanced=True,
    )
    half_precision: bool = field(
        True,
        "Half precision if needed",
        "Gradients that need more memory than there is are rounded to 11 bits, which "
        "takes less time than the disk; off keeps all bits, on the disk.",
        advanced=True,
    )
    timeline: Literal["auto", "everything", "prunes", "nothing"] = field(
        "auto",
        "Timeline",
        "The moments that the run folder keeps, to look at and to branch from: after "
        "every prune and epoch, around prunes only, or none. auto keeps as much as "
        "fits into 1 GB.",
        advanced=True,
    )
    batch: int = field(
        256,
        "Evaluation batch",
        "Images at once when measuring.",
        ge=1,
        le=65_536,
        unit="images",
        advanced=True,
    )
