"""A classification network of torchvision by name."""

import difflib
from typing import Literal

from pydantic import ConfigDict
from torch import nn

from engine.data.base import DataSpec
from engine.errors import InputError
from engine.models.base import ModelSource
from engine.models.resnet_cifar import require_images
from engine.part import field

AUXILIARY = ("googlenet", "inception_v3")  # have further classifiers for training


class Torchvision(ModelSource):
    """A classification network of torchvision by name."""

    model_config = ConfigDict(title="torchvision")
    kind: Literal["torchvision"] = "torchvision"
    name: str = field(
        "resnet18", "Network", "As torchvision.models names it: resnet50, vgg16_bn."
    )
    weights: Literal["random", "published"] = field(
        "random", "Weights without a checkpoint",
        "published fetches torchvision's own, trained on the 1,000 ImageNet classes.",
    )  # fmt: skip

    @property
    def trained(self) -> bool:
        """With torchvision's published weights."""
        return self.weights == "published"

    def build(self, spec: DataSpec, trust: frozenset[str]) -> nn.Module:
        """The network with an output per class; auxiliary classifiers are left out."""
        from torchvision import models  # late: importing it takes as long as torch

        name = _known(self.name)
        require_images(spec, name)
        if spec.shape[0] != 3:
            raise InputError(
                f"{name} takes colour images, and the data have {spec.shape[0]} "
                "channel(s).",
                "Set data.channels=3: grey images are then repeated.",
            )
        if self.trained and not self.checkpoint:
            return _published(name, len(spec.classes))
        options = {"num_classes": len(spec.classes)}
        if name in AUXILIARY:
            options |= {"aux_logits": False, "init_weights": True}
        return models.get_model(name, weights=None, **options)


def _known(name: str) -> str:
    from torchvision import models

    names = models.list_models(module=models)
    if name.lower() in names:
        return name.lower()
    near = difflib.get_close_matches(name.lower(), names, n=4, cutoff=0.4)
    raise InputError(
        f"torchvision has no classification network {name!r}.",
        f"Did you mean {', '.join(near)}?" if near else "resnet18 is one, for example.",
        tuple(names),
    )


def _published(name: str, classes: int) -> nn.Module:
    """The network with torchvision's best weights, from its cache or the network."""
    from torchvision import models

    best = models.get_model_weights(name).DEFAULT
    count = len(best.meta["categories"])
    if count != classes:
        raise InputError(
            f"The published {name} tells {count} classes apart, the data {classes}.",
            "Use data of those classes, or model.weights=random with a checkpoint.",
        )
    try:
        network = models.get_model(name, weights=best, progress=False)
    except (OSError, RuntimeError) as error:  # no connection, or a damaged download
        raise InputError(
            f"The published weights of {name} cannot be fetched: {error}.",
            f"Check the connection, or set model.checkpoint to a copy of {best.url}.",
        ) from error
    if name in AUXILIARY:  # torchvision refuses to leave them out itself
        network.aux_logits = False
        for classifier in ("aux1", "aux2", "AuxLogits"):
            if hasattr(network, classifier):
                setattr(network, classifier, None)
    return network
