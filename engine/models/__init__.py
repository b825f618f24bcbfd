"""The model sources, a table."""

from engine.models.demo import Demo
from engine.models.file import File
from engine.models.resnet_cifar import ResnetCifar
from engine.models.torchvision import Torchvision

MODELS = (Demo, ResnetCifar, Torchvision, File)
