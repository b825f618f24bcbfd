"""Strip: the schedule of the next run, or what is left of the one that goes on."""

import math

from PySide6.QtCore import QObject, Signal

from app.bridge import Bridge
from app.records.course import Course
from app.runner import Runner
from app.steering.schedule.bounds import moved
from app.steering.schedule.foretold import Levels, foretold, in_force, onward
from app.steering.schedule.handles import Handle, Standing, handles
from app.workspace import Workspace
from engine.amendment import Amendment
from engine.errors import InputError
from engine.events import Amended, AmendmentRefused, Event
from engine.recipe import Recipe, with_changes

BUSY = ("running", "paused", "stopping")


class Strip(QObject):
    """Turns moved handles into changes of the recipe, or of the run that goes on.

    While nothing runs a release is one change of the recipe, so undo takes it back.
    While a run goes on a release asks the engine, which answers by an event.
    """

    changed = Signal()  # by the person, or in what can be moved
    went_on = Signal()  # the run has told something

    def __init__(
        self,
        workspace: Workspace,
        bridge: Bridge,
        runner: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._runner = workspace, runner
        self._moved: dict[str, float] = {}  # and not released
        self._asked: list[dict[str, float]] = []  # of the engine, and not answered
        self.course = Course()
        self.words = ""  # why something did not go as asked
        workspace.recipe_changed.connect(self._on_recipe)
        workspace.state_changed.connect(self._on_state)
        bridge.on(Event, self._add)
        bridge.cleared.connect(self._clear)

    @property
    def live(self) -> bool:
        """Whether a run of this window goes on."""
        return self._workspace.state in BUSY and self._runner.amendable

    @property
    def asked(self) -> bool:
        """Whether the engine has not answered yet."""
        return bool(self._asked)

    @property
    def unsent(self) -> bool:
        """Whether moves wait to be released."""
        return bool(self._moved)

    @property
    def amended(self) -> bool:
        """Whether the recipe on show was changed while its run went on."""
        return not self.live and bool(self._workspace.recipe.amendments)

    @property
    def given(self) -> Recipe:
        """The recipe before anything of it was changed on the way."""
        return self._workspace.recipe if self.amended else self.recipe

    @property
    def held(self) -> Recipe:
        """The recipe in force now."""
        recipe, told = self._workspace.recipe, self.course.changes.values()
        taken = {(each.epoch, each.prunes, each.halvings) for each in told}
        count = sum(not self.live or each.at in taken for each in recipe.amendments)
        return in_force(recipe, count)

    @property
    def recipe(self) -> Recipe:
        """The recipe as it is shown: what is asked for and what is moved included."""
        base = self._base
        return with_changes(base, self._moved) if self._moved else base

    @property
    def locked(self) -> str:
        """Why no handle can be moved, in a sentence; empty when some can."""
        state, recipe = self._workspace.state, self._workspace.recipe
        if state == "following":
            return "This run belongs to another process, which alone can change it."
        if state == "stopping":
            return "The run is ending."
        if state in BUSY and recipe.machine.processes > 1:
            return "A run of several processes cannot be changed while it goes on."
        if state in BUSY and not self.live:
            return "Handles can be moved while nothing else is going on."
        if self.amended:
            return "This recipe repeats a run that was changed while it went on."
        return ""

    @property
    def standing(self) -> Standing:
        """How far the run is that goes on."""
        course = self.course
        if not self.live or course.planned is None:
            return Standing()
        now = math.ceil(course.now - 1e-9)
        pruned = not course.ahead
        return Standing(now, bool(course.done), pruned, course.reached)

    @property
    def handles(self) -> tuple[Handle, ...]:
        """What can be moved, and what cannot for now."""
        return handles(self.recipe, self.standing)

    @property
    def levels(self) -> Levels:
        """Epoch and level of every prune that is still to come (hollow)."""
        if not self.live:
            return foretold(self.given)
        if self.course.planned is not None and not (self._moved or self._asked):
            return self.course.ahead
        try:
            return onward(self.recipe, self.course, self.standing)
        except InputError:  # the run has gone on since; the engine will refuse it
            return self.course.ahead

    def move(self, handle: Handle, x: float, y: float) -> None:
        """Show what the handle does at this place, held inside its bounds."""
        if self.locked or handle.fixed:
            self.words = self.locked or handle.fixed
            self.changed.emit()
            return
        found = moved(self.recipe, self.standing, handle, x, y)
        self.words = found.reason
        changes = self._moved | found.changes
        try:
            recipe = with_changes(self._base, changes)
            if self.live and self.course.planned is not None:
                onward(recipe, self.course, self.standing)
            self._moved = changes
        except InputError as error:
            self.words = f"{error.message} {error.hint}"
        self.changed.emit()

    def release(self, merge: str = "") -> None:
        """Make what is shown the recipe's, or ask the run; see `set_recipe`."""
        moves, self._moved = self._moved, {}
        if not moves:
            return
        if self.live:
            now = self._base.model_dump(mode="json")
            new = {key: value for key, value in moves.items() if _at(now, key) != value}
            if new:
                self._asked.append(new)
                self._runner.amend(new)
            self.changed.emit()
            return
        words, recipe = self.words, with_changes(self._workspace.recipe, moves)
        self._workspace.set_recipe(recipe, merge)
        self.words = words  # still to be read
        self.changed.emit()

    def drop(self) -> None:
        """Forget what is moved and not released."""
        self._moved, self.words = {}, ""
        self.changed.emit()

    def settle(self, keep: bool) -> None:
        """Take the changes out of the recipe, or have them as if there from the start.

        Args:
            keep: Which of the two.
        """
        recipe = self.held if keep else self._workspace.recipe
        self._workspace.set_recipe(recipe.model_copy(update={"amendments": ()}))

    @property
    def _base(self) -> Recipe:
        """The recipe in force, and what is asked for."""
        recipe = self.held
        for changes in self._asked:
            try:
                recipe = with_changes(recipe, changes)
            except InputError:  # the engine will refuse it
                continue
        return recipe

    def _add(self, events: list[Event]) -> None:
        self.course.add(events)
        for event in events:
            if isinstance(event, Amended):
                self._on_amended(event)
            elif isinstance(event, AmendmentRefused) and self._asked:
                self._asked.pop(0)
                self.words = f"{event.message} {event.hint}"
        self.went_on.emit()

    def _on_amended(self, event: Amended) -> None:
        """The recipe on show has what the one in the run folder has."""
        changes = dict(event.changes)
        if changes in self._asked:
            self._asked.remove(changes)
            self.words = ""
        if not self.live:
            return  # an old run is told again
        new = Amendment(
            epoch=event.epoch, prunes=event.prunes, halvings=event.halvings,
            changes=changes,
        )  # fmt: skip
        recipe = self._workspace.recipe
        if new not in recipe.amendments:
            before = tuple(each for each in recipe.amendments if each.at <= new.at)
            every = (*before, new, *recipe.amendments[len(before) :])
            self._workspace.set_recipe(recipe.model_copy(update={"amendments": every}))

    def _on_recipe(self) -> None:
        if not self.live:
            self._moved, self.words = {}, ""
        self.changed.emit()

    def _on_state(self, state: str) -> None:
        if state == "idle" and self._asked:
            self._asked.clear()
            self.words = "The run ended before the change could take effect."
        if state not in BUSY:
            self._moved = {}
        self.changed.emit()

    def _clear(self) -> None:
        self.course = Course()
        self._asked.clear()
        self.drop()


def _at(content: dict, key: str) -> float:
    group, _, name = key.partition(".")
    return content[group][name]
