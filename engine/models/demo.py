"""A small residual network for the digits, trained and shipped."""

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict
from torch import nn

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.models.base import ModelSource
from engine.models.resnet_cifar import CifarResNet

WEIGHTS = Path(__file__).parents[2] / "resources" / "demo" / "digits.safetensors"
SHAPE = (1, 8, 8)


class Demo(ModelSource):
    """A small residual network for the digits, trained and shipped.

    `resources/train_demo.py` made its weights; a checkpoint takes their place.
    """

    model_config = ConfigDict(title="Demo network")
    kind: Literal["demo"] = "demo"

    @property
    def weights_file(self) -> str:
        """The checkpoint, or else the shipped weights."""
        return self.checkpoint or str(WEIGHTS)

    def build(self, spec: DataSpec, trust: frozenset[str]) -> nn.Module:
        """A CIFAR ResNet of one block per stage."""
        if spec.shape != SHAPE or len(spec.classes) != 10:
            raise InputError(
                f"The demo network is made for the digits (inputs {SHAPE}, 10 classes) "
                f"and not for {spec.name} (inputs {spec.shape}, "
                f"{len(spec.classes)} classes).",
                "Choose the digits as data, or a network that fits your data.",
            )
        return digits_network()


def digits_network() -> CifarResNet:
    """The demo's architecture: 77,072 weights in convolutions and classifier."""
    return CifarResNet(channels=1, classes=10, blocks=1)
