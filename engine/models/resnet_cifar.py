"""ResNet-20/32/44/56 for small images."""

from collections.abc import Sequence
from typing import Literal

from pydantic import ConfigDict
from torch import Tensor, nn
from torch.nn import functional

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.models.base import ModelSource
from engine.part import field


class ResnetCifar(ModelSource):
    """The residual networks of He et al. (2015, arXiv:1512.03385), section 4.2."""

    model_config = ConfigDict(title="CIFAR ResNet")
    kind: Literal["resnet_cifar"] = "resnet_cifar"
    depth: Literal[20, 32, 44, 56] = field(
        20, "Depth", "Layers with weights: 20, 32, 44 or 56."
    )
    shortcut: Literal["conv", "pad"] = field(
        "conv", "Shortcut",
        "Where the width grows: a 1x1 convolution with batch norm, or zero padding "
        "(option A of the paper, no weights).",
    )  # fmt: skip

    def build(self, spec: DataSpec, trust: frozenset[str]) -> nn.Module:
        """Three stages of (depth - 2) / 6 blocks, 16, 32 and 64 channels wide."""
        require_images(spec, "A CIFAR ResNet")
        blocks = (self.depth - 2) // 6
        return CifarResNet(spec.shape[0], len(spec.classes), blocks, self.shortcut)


def require_images(spec: DataSpec, network: str) -> None:
    """Refuse data of plain vectors for a convolutional network.

    Raises:
        InputError: The inputs are not images.
    """
    if len(spec.shape) != 3:
        raise InputError(
            f"{network} takes images, and the data are vectors of {spec.shape[0]}.",
            "Set data.flatten to false, or choose a network for vectors.",
        )


class CifarResNet(nn.Module):
    """conv1, bn1, layer1 to layer3, global average pooling, fc.

    Args:
        channels: Of the input.
        classes: Outputs.
        blocks: Per stage.
        shortcut: `conv` or `pad`, where a stage widens.
        widths: Channels of the stages; each later one halves height and width.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        blocks: int,
        shortcut: Literal["conv", "pad"] = "conv",
        widths: Sequence[int] = (16, 32, 64),
    ) -> None:
        super().__init__()
        first, second, third = widths
        self.conv1 = nn.Conv2d(channels, first, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = _stage(first, first, blocks, 1, shortcut)
        self.layer2 = _stage(first, second, blocks, 2, shortcut)
        self.layer3 = _stage(second, third, blocks, 2, shortcut)
        self.fc = nn.Linear(third, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes) of images (n, channels, h, w)."""
        features = functional.relu(self.bn1(self.conv1(images)))
        features = self.layer3(self.layer2(self.layer1(features)))
        return self.fc(features.mean(dim=(2, 3)))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut; ReLU after the sum."""

    def __init__(self, inner: int, outer: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.downsample: nn.Module = nn.Identity()
        if inner != outer or stride != 1:
            self.downsample = _shortcut(inner, outer, stride, shortcut)

    def forward(self, features: Tensor) -> Tensor:
        """(n, inner, h, w) to (n, outer, h / stride, w / stride)."""
        residual = functional.relu(self.bn1(self.conv1(features)))
        residual = self.bn2(self.conv2(residual))
        return functional.relu(residual + self.downsample(features))


class PadShortcut(nn.Module):
    """Every `stride`-th pixel, and zero channels added evenly on both sides."""

    def __init__(self, added: int, stride: int) -> None:
        super().__init__()
        self.before = added // 2
        self.after = added - added // 2
        self.stride = stride

    def forward(self, features: Tensor) -> Tensor:
        """(n, c, h, w) to (n, c + added, h / stride, w / stride)."""
        thinned = features[:, :, :: self.stride, :: self.stride]
        return functional.pad(thinned, (0, 0, 0, 0, self.before, self.after))


def _stage(
    inner: int, outer: int, blocks: int, stride: int, shortcut: str
) -> nn.Module:
    first = Block(inner, outer, stride, shortcut)
    rest = [Block(outer, outer, 1, shortcut) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


def _shortcut(inner: int, outer: int, stride: int, kind: str) -> nn.Module:
    if kind == "pad":
        return PadShortcut(outer - inner, stride)
    convolution = nn.Conv2d(inner, outer, 1, stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outer))
