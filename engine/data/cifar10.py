"""CIFAR-10 in torchvision's layout."""

from typing import Literal

from pydantic import ConfigDict

from engine.data.base import Dataset


class Cifar10(Dataset):
    """CIFAR-10 in torchvision's layout."""

    model_config = ConfigDict(title="CIFAR-10")
    kind: Literal["cifar10"] = "cifar10"
