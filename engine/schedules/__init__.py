"""The schedules, a table."""

from engine.schedules.gradual import Gradual
from engine.schedules.one_shot import OneShot

SCHEDULES = (OneShot, Gradual)
