"""Views: everything that can be shown in the middle of the window, and its place."""

from PySide6.QtWidgets import QWidget

from app.bridge import Bridge
from app.centre import Rail
from app.family import Family
from app.looking.networks import Networks
from app.looking.surgery import Surgery
from app.panels.classes import ClassesPanel
from app.panels.compare import ComparePanel
from app.panels.curves import CurvesPanel
from app.panels.damping import DampingPanel
from app.panels.duel import DuelPanel
from app.panels.layers import LayersPanel
from app.panels.profile import ProfilePanel
from app.panels.promises import PromisesPanel
from app.panels.runs import RunsPanel
from app.panels.schedule import SchedulePanel
from app.panels.sensitivity import SensitivityPanel
from app.panels.thresholds import ThresholdsPanel
from app.panels.timeline import TimelinePanel
from app.panels.weights import WeightsPanel
from app.preferences import Preferences
from app.runner import Runner
from app.steering.damping.steering import DampingSteering
from app.steering.profile.budgeting import Budgeting
from app.steering.schedule.strip import Strip
from app.steering.steering import Steering
from app.steering.thresholds.probing import Probing
from app.workspace import Workspace


class Views(Rail):
    """The views; a further one is a line where it is made and one in its group.

    Args:
        workspace: What they mirror.
        bridge: Brings the events.
        runner: Does long work behind a view.
        steering: Knows what the next prune would do.
        probing: Measures it.
        family: Knows the runs that share moments with the one on show.
        preferences: Remembers what is set side by side.
        parent: Qt's.
    """

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        runner: Runner,
        steering: Steering,
        probing: Probing,
        family: Family,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.curves = CurvesPanel(workspace, bridge)
        self.layers = LayersPanel(workspace, bridge)
        self.promises = PromisesPanel(workspace, bridge)
        self.thresholds = ThresholdsPanel(workspace, bridge, steering, probing)
        self.networks = Networks(workspace, bridge, steering, self)
        surgery = Surgery(workspace, self.networks, runner, self)
        self.weights = WeightsPanel(workspace, bridge, self.networks, surgery)
        self.classes = ClassesPanel(workspace, self.networks, runner)
        self.timeline = TimelinePanel(workspace, bridge, family)
        self.schedule = SchedulePanel(Strip(workspace, bridge, runner, self))
        self.damping = DampingPanel(workspace, DampingSteering(workspace, runner, self))
        self.duel = DuelPanel(workspace, runner)
        self.budgeting = Budgeting(workspace, bridge, runner, steering, self)
        self.sensitivity = SensitivityPanel(workspace, steering, self.budgeting)
        self.profile = ProfilePanel(workspace, steering, self.budgeting)
        self.compare = ComparePanel(bridge)
        self.runs = RunsPanel(workspace, bridge, runner, preferences)
        run = (
            ("Curves", self.curves),
            ("Layers", self.layers),
            ("Promises", self.promises),
            ("Timeline", self.timeline),
        )
        next_prune = (
            ("Thresholds", self.thresholds),
            ("Sensitivity", self.sensitivity),
            ("Profile", self.profile),
            ("Schedule", self.schedule),
            ("Damping", self.damping),
            ("Duel", self.duel),
        )
        network = (("Weights", self.weights), ("Classes", self.classes))
        side_by_side = (("Methods", self.compare), ("Runs", self.runs))
        self.fill(
            ("Run", run),
            ("Next prune", next_prune),
            ("Network", network),
            ("Side by side", side_by_side),
        )
