"""A network from a function in your own Python file."""

import hashlib
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ConfigDict
from torch import nn

from engine.data.base import DataSpec
from engine.errors import InputError, TrustNeeded
from engine.models.base import ModelSource
from engine.part import field

LARGEST = 10_000_000  # bytes of a Python file
CLASSES = ("num_classes", "n_classes", "classes")


class File(ModelSource):
    """A network from a function in your own Python file.

    The file runs only when the SHA-256 of its bytes is trusted. It may import files
    beside it; those run with it.
    """

    model_config = ConfigDict(title="Python file")
    kind: Literal["file"] = "file"
    file: str = field(
        "", "Python file", "Defines the network; it is run after you say you trust it.",
        path="file",
    )  # fmt: skip
    factory: str = field(
        "build", "Function",
        "Returns the network; called without arguments, or with num_classes if it "
        "takes that. A class works too.",
    )  # fmt: skip

    def build(self, spec: DataSpec, trust: frozenset[str]) -> nn.Module:
        """Runs the trusted file and calls the factory.

        Raises:
            TrustNeeded: The file as it is now has not been trusted.
            InputError: It is missing, fails, or returns no network.
        """
        if not self.file:
            raise InputError("No Python file is chosen.", "Set model.file.")
        path = Path(self.file).expanduser().resolve()
        source = _read(path)
        digest = hashlib.sha256(source).hexdigest()
        if digest not in trust:
            raise TrustNeeded(str(path), digest)
        with _beside(path.parent):
            module = _run(path, source, digest)
            network = _call(path, self._factory(path, module), len(spec.classes))
        return _checked(path, self.factory, network)

    def _factory(self, path: Path, module: types.ModuleType) -> Callable:
        factory = getattr(module, self.factory, None)
        if callable(factory):
            return factory
        own = (n for n, v in vars(module).items() if _is_own(module, v))
        names = ", ".join(own) or "none"
        raise InputError(
            f"{path} has no function {self.factory!r}.",
            f"Set model.factory to one of its functions or classes: {names}.",
        )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{path} is too large for a Python file.", "Choose a .py file."
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"Cannot read the Python file {path}: {error.strerror}.",
            "Check model.file.",
        ) from error


def _run(path: Path, source: bytes, digest: str) -> types.ModuleType:
    """A module made of exactly the bytes that were hashed."""
    module = types.ModuleType(f"secateur_file_{digest[:16]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look there
    try:
        exec(compile(source, str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise InputError(
            f"{path} fails when it runs: {_sentence(error, path)}.",
            "Correct the file (and trust it again).",
        ) from error
    return module


def _call(path: Path, factory: Callable, classes: int) -> Any:
    """factory(), or factory(num_classes=...) where it takes the class count."""
    try:
        parameters = inspect.signature(factory).parameters
        known = {name: classes for name in CLASSES if name in parameters}
        return factory(**known)
    except (Exception, SystemExit) as error:
        name = getattr(factory, "__name__", "the factory")
        raise InputError(
            f"{name} in {path} fails: {_sentence(error, path)}.",
            "It must work without arguments, or with num_classes alone.",
        ) from error


def _checked(path: Path, name: str, network: Any) -> nn.Module:
    if isinstance(network, torch.jit.ScriptModule) or not isinstance(
        network, nn.Module
    ):
        raise InputError(
            f"{name} in {path} returns a {type(network).__name__}, not a network.",
            "Return a torch.nn.Module (not a scripted one).",
        )
    return network.cpu()


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let the file import its neighbours, and forget them and the folder afterwards.

    Another file's neighbours may have the same names.
    """
    path, modules = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            place = getattr(sys.modules[name], "__file__", None)
            if place and folder in Path(place).parents and not _is_run(name):
                del sys.modules[name]


def _is_run(name: str) -> bool:
    return name.startswith("secateur_file_")


def _is_own(module: types.ModuleType, value: Any) -> bool:
    return callable(value) and getattr(value, "__module__", "") == module.__name__


def _sentence(error: BaseException, path: Path) -> str:
    """The error with the line of the file it came from."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    at = f" in line {line}" if line else ""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}{at}: {text}".rstrip(".")
