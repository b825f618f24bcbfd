"""What an exporter is: a format the pruned network is written in."""

from pathlib import Path
from typing import ClassVar

from torch import Tensor


class Exporter:
    """One export format; stateless.

    Attributes:
        kind: Its name on the command line.
        title: Its name for people.
        suffix: Of the file, with the dot.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    suffix: ClassVar[str]

    @staticmethod
    def encode(weights: dict[str, Tensor]) -> bytes:
        """The file's content for a state dict of CPU tensors."""
        raise NotImplementedError

    @staticmethod
    def decode(path: Path) -> dict[str, Tensor]:
        """The state dict in such a file, read as anyone would."""
        raise NotImplementedError
