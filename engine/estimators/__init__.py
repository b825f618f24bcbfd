"""The estimators, a table: a new one is one file and one name here."""

from engine.estimators.magnitude import Magnitude
from engine.estimators.woodfisher import WoodFisher

ESTIMATORS = (WoodFisher, Magnitude)  # the first is the default
