"""Trains the demo network on the digits: `python -m resources.train_demo`."""

import torch
from safetensors.torch import save_file
from torch.nn import functional

from engine.data.base import Data
from engine.data.digits import Digits
from engine.models.demo import WEIGHTS, digits_network
from engine.models.resnet_cifar import CifarResNet
from engine.monitor import Monitor

EPOCHS = 60
BATCH = 64
SEED = 0


def main() -> None:
    """Train, say how well it went, and write the weights."""
    torch.set_num_threads(1)  # one thread adds in one order: the same weights each time
    torch.manual_seed(SEED)
    data = Digits(augment="crop").load(torch.device("cpu"), SEED, Monitor())
    network = digits_network()
    train(network, data)
    for name in ("train", "validation", "test"):
        print(f"{name}: {accuracy(network, getattr(data, name)):.2f} %")
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), WEIGHTS)
    print(f"wrote {WEIGHTS}")


def train(network: CifarResNet, data: Data) -> None:
    """SGD with Nesterov momentum under one cosine from 0.1 to 0."""
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    network.train()
    for epoch in range(EPOCHS):
        order = torch.randperm(len(data.train), generator=generator)
        for indices in order.split(BATCH):
            images, labels = data.train.batch(indices, generator)
            loss = functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
    network.eval()


@torch.no_grad()
def accuracy(network: CifarResNet, split) -> float:
    """Percent of the images whose largest logit is their label."""
    right = sum(int((network(x).argmax(1) == y).sum()) for x, y in split.batches(256))
    return 100 * right / len(split)


if __name__ == "__main__":
    main()
