"""The export formats, a table."""

from engine.exporters.pth import Pth
from engine.exporters.safetensors import Safetensors

EXPORTERS = (Pth, Safetensors)
