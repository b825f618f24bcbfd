"""1,797 grey 8x8 digits from scikit-learn; needs no files."""

from typing import Literal

from pydantic import ConfigDict

from engine.data.base import Dataset


class Digits(Dataset):
    """1,797 grey 8x8 digits from scikit-learn; needs no files."""

    model_config = ConfigDict(title="Digits (built in)")
    kind: Literal["digits"] = "digits"
