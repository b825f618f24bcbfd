"""Finding classes and image files in a folder tree."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from PIL import Image
from torch import Tensor

from engine.errors import InputError
from engine.monitor import Monitor

TRAIN = ("train", "training")
TEST = ("test", "testing")
VALIDATION = ("val", "valid", "validation")
LAYOUT = "Choose a folder that holds train/ and test/, or one folder per class."


@dataclass(frozen=True)
class Layout:
    """Where the splits of an image folder are; None where there is no such folder."""

    train: Path
    test: Path | None
    validation: Path | None

    @property
    def parts(self) -> tuple[Path, ...]:
        """The folders that exist."""
        return tuple(p for p in (self.train, self.test, self.validation) if p)


def layout(folder: Path) -> Layout:
    """The splits of a folder: train with test (or val as test), or one for all.

    Raises:
        InputError: It is not a folder, or holds no folders of classes.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", LAYOUT)
    train, test, validation = (_split(folder, n) for n in (TRAIN, TEST, VALIDATION))
    if train is None:
        if test or validation:
            raise InputError(f"{folder} has no folder train beside its test.", LAYOUT)
        return Layout(folder, None, None)
    if test is None:
        return Layout(train, validation, None)
    return Layout(train, test, validation)


def class_names(found: Layout) -> tuple[str, ...]:
    """The class folders, sorted by name; every split must have the same ones.

    Raises:
        InputError: There are fewer than two, or the splits differ.
    """
    names = _folders(found.train)
    if len(names) < 2:
        raise InputError(
            f"{found.train} holds {len(names)} class folders; at least two are needed.",
            _nested(found.train, names) or LAYOUT,
        )
    for part in found.parts[1:]:
        others = _folders(part)
        odd = sorted(set(names) ^ set(others))
        if odd:
            raise InputError(
                f"{found.train} and {part} differ in their classes: {_listed(odd)}.",
                "Give both the same class folders.",
                tuple(odd),
            )
    return names


def first_image(folder: Path, name: str) -> Path:
    """The image that sets the shape: the first of this class folder.

    Raises:
        InputError: The class folder is empty.
    """
    images, _ = _images(folder / name)
    return images[0]


def files(
    folder: Path, names: tuple[str, ...], monitor: Monitor
) -> tuple[list[Path], Tensor]:
    """Image paths in order and their labels (n,) int64.

    Raises:
        InputError: A class folder has no images.
    """
    paths: list[Path] = []
    labels: list[int] = []
    others = 0
    for label, name in enumerate(monitor.track(names, "Listing images")):
        images, skipped = _images(folder / name)
        paths += images
        labels += [label] * len(images)
        others += skipped
    if others:
        monitor.notice(f"{others} files in {folder} are not images and are left out.")
    return paths, torch.tensor(labels)


def _images(folder: Path) -> tuple[list[Path], int]:
    """Images below a class folder, sorted, and how many other files there are."""
    known = tuple(Image.registered_extensions())
    images, others = [], 0
    for place, _, names in os.walk(folder, onerror=_unlisted):
        for name in names:
            if name.lower().endswith(known):
                images.append(os.path.join(place, name))
            elif not name.startswith("."):
                others += 1
    if not images:
        raise InputError(
            f"The class folder {folder} holds no images.",
            "Put images into it, or remove the folder.",
        )
    return [Path(image) for image in sorted(images)], others


def _split(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The subfolder of one of these names; one without folders inside is a class."""
    for name in names:
        if (folder / name).is_dir() and _folders(folder / name):
            return folder / name
    return None


def _folders(folder: Path) -> tuple[str, ...]:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        _unlisted(error)
    names = (e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    return tuple(sorted(names))


def _unlisted(error: OSError) -> NoReturn:
    raise InputError(
        f"{error.filename} cannot be listed: {error.strerror}.",
        "Check its permissions.",
    ) from error


def _nested(folder: Path, names: tuple[str, ...]) -> str:
    """A hint where the tree starts one folder further down, as unzipping leaves it."""
    if len(names) == 1 and len(_folders(folder / names[0])) > 1:
        return f"Choose {folder / names[0]}."
    return ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
