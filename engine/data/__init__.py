"""The datasets, a table."""

from engine.data.arrays import Arrays
from engine.data.cifar10 import Cifar10
from engine.data.digits import Digits
from engine.data.image_folder import ImageFolder
from engine.data.mnist import Mnist

DATASETS = (Digits, Cifar10, Mnist, ImageFolder, Arrays)
