"""ResNet-20/32/44/56 for small images."""

from typing import Literal

from pydantic import ConfigDict

from engine.models.base import ModelSource


class ResnetCifar(ModelSource):
    """ResNet-20/32/44/56 for small images."""

    model_config = ConfigDict(title="CIFAR ResNet")
    kind: Literal["resnet_cifar"] = "resnet_cifar"
