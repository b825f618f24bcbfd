"""MNIST in torchvision's layout."""

from typing import Literal

from pydantic import ConfigDict

from engine.data.base import Dataset


class Mnist(Dataset):
    """MNIST in torchvision's layout."""

    model_config = ConfigDict(title="MNIST")
    kind: Literal["mnist"] = "mnist"
