"""Weight gradients of single images from a layer's input and its output's gradient."""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn import grad

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
BACKWARD = (grad.conv1d_weight, grad.conv2d_weight, grad.conv3d_weight)
BATCHED = (nn.Linear, *CONVOLUTIONS)  # exact types: a subclass may compute otherwise


def fits(module: nn.Module, inputs: Tensor, images: int) -> bool:
    """Whether the first dimension of a layer's input can be images or runs of them."""
    linear = type(module) is nn.Linear
    dimensions = inputs.dim() >= 2 if linear else inputs.dim() == module.weight.dim()
    return dimensions and len(inputs) % images == 0


def patch_bytes(module: nn.Module, output: Tensor) -> int:
    """Size of the patches that `weight_gradients` makes for this output."""
    if type(module) not in CONVOLUTIONS or module.groups > 1:
        return 0
    return (
        output.nbytes
        // module.out_channels
        * module.in_channels
        * prod(module.kernel_size)
    )


def weight_gradients(
    module: nn.Module, inputs: Tensor, gradient: Tensor, images: int
) -> Tensor:
    """(images, numel) from a layer's input and the gradient of its output.

    The first dimension of both must be the images, or equal runs of rows per image (as
    windows of a picture are); the caller checks the result on a trial.
    """
    if type(module) is nn.Linear:
        left = gradient.reshape(images, -1, module.out_features)
        right = inputs.reshape(images, -1, module.in_features)
        return torch.bmm(left.mT, right).reshape(images, -1)
    taken = _convolution if module.groups == 1 else _grouped_convolution
    rows = taken(module, inputs, gradient)
    return rows.reshape(images, -1, module.weight.numel()).sum(1)


def patches(module: nn.Module, inputs: Tensor) -> Tensor:
    """What every output position sees, (n, channels, *kernel, *out).

    A strided view of the padded input, which takes no memory of its own.
    """
    padded = pad(module, inputs)
    n, channels = padded.shape[:2]
    kernel, dilation, stride = module.kernel_size, module.dilation, module.stride
    reach = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
    out = [
        (length - far - 1) // jump + 1
        for length, far, jump in zip(padded.shape[2:], reach, stride, strict=True)
    ]
    batch, channel, *space = padded.stride()
    steps = [s * d for s, d in zip(space, dilation, strict=True)]
    jumps = [s * j for s, j in zip(space, stride, strict=True)]
    return padded.as_strided(
        (n, channels, *kernel, *out), (batch, channel, *steps, *jumps)
    )


def _convolution(module: nn.Module, inputs: Tensor, gradient: Tensor) -> Tensor:
    """Products of the output's gradient with the patches that each weight saw.

    One matrix product serves every dimension, stride and dilation; on a CPU this beat
    `unfold` and the way of grouped convolutions for the shapes of ResNet-20.
    """
    left = gradient.flatten(2)
    right = patches(module, inputs).reshape(len(inputs), -1, left.shape[2])
    return torch.bmm(left, right.mT).reshape(len(inputs), -1)


def _grouped_convolution(module: nn.Module, inputs: Tensor, gradient: Tensor) -> Tensor:
    """The images as further groups of one: 2 to 10 times faster than the patches."""
    padded, weight = pad(module, inputs), module.weight
    images = len(inputs)
    rows = BACKWARD[weight.dim() - 3](
        padded.reshape(1, -1, *padded.shape[2:]),
        (images * len(weight), *weight.shape[1:]),
        gradient.reshape(1, -1, *gradient.shape[2:]),
        module.stride,
        dilation=module.dilation,
        groups=images * module.groups,
    )
    return rows.reshape(images, -1)


def pad(module: nn.Module, inputs: Tensor) -> Tensor:
    """The input as the convolution sees it."""
    if module.padding == "valid":
        return inputs
    sides = []
    for axis, (size, step) in enumerate(
        zip(module.kernel_size, module.dilation, strict=True)
    ):
        if module.padding == "same":
            total = step * (size - 1)
            sides.append((total // 2, total - total // 2))
        else:
            sides.append((module.padding[axis],) * 2)
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    return F.pad(inputs, [side for pair in reversed(sides) for side in pair], mode=mode)
