"""Arrays x and y from an .npz file."""

from typing import Literal

from pydantic import ConfigDict

from engine.data.base import Dataset


class Arrays(Dataset):
    """Arrays x and y from an .npz file."""

    model_config = ConfigDict(title="Arrays (.npz)")
    kind: Literal["arrays"] = "arrays"
