"""The estimators, a table: a new one is one file and one name here."""

from engine.estimators.diagonal_fisher import DiagonalFisher
from engine.estimators.exact_obs import ExactOBS
from engine.estimators.fishleg import FishLeg
from engine.estimators.kfac import KFAC
from engine.estimators.magnitude import Magnitude
from engine.estimators.mfac import MFAC
from engine.estimators.random import Random
from engine.estimators.taylor import Taylor
from engine.estimators.trace import HessianTrace
from engine.estimators.woodfisher import WoodFisher
from engine.estimators.woodtaylor import WoodTaylor

ESTIMATORS = (  # the first is the default
    WoodFisher,
    WoodTaylor,
    MFAC,
    KFAC,
    FishLeg,
    ExactOBS,
    DiagonalFisher,
    HessianTrace,
    Taylor,
    Magnitude,
    Random,
)
