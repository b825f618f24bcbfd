"""One folder of images per class."""

from typing import Literal

from pydantic import ConfigDict

from engine.data.base import Dataset


class ImageFolder(Dataset):
    """One folder of images per class."""

    model_config = ConfigDict(title="Image folder")
    kind: Literal["image_folder"] = "image_folder"
