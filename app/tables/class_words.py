"""Class words: who gets hurt, in sentences."""

from app.tables.class_table import points
from app.tables.units import SURE, accuracy, exact, many
from engine.looking.classes import ClassReport, NewlyWrong


def summary(report: ClassReport) -> str:
    """All classes, the worst one, and the confusion that grew most."""
    whole = report.whole
    before, after = whole.accuracies
    told = [
        f"{accuracy(before)} before, {accuracy(after)} after on "
        f"{many(whole.images, f'{report.split} image')}: {exact(whole.lost)} newly "
        f"wrong, {exact(whole.won)} newly right."
    ]
    known = [each for each in report.classes if each.images]
    worst = min(known, key=lambda each: each.change, default=None)
    if worst is not None and worst.change < 0:
        chance = worst.error == worst.error and worst.change > -SURE * worst.error
        doubt = ", which may be chance" if chance else ""
        told.append(
            f"Class {worst.name} loses most, {points(worst.change)} points{doubt}."
        )
    else:
        told.append("No class loses.")
    grown = report.confusion
    if grown is not None:
        told.append(
            f"The confusion that grew most: {grown.truth} is taken for {grown.says} in "
            f"{many(grown.after, 'image')} instead of {exact(grown.before)}."
        )
    return " ".join(told)


def caption(wrong: NewlyWrong) -> str:
    """What an image is, what it is taken for and how surely; two lines at most."""
    arrow = "\N{RIGHTWARDS ARROW}"
    return (
        f"{wrong.truth} {arrow} {wrong.says}, {100 * wrong.sure:.0f}\N{NO-BREAK SPACE}%"
    )


def sentence(wrong: NewlyWrong, split: str) -> str:
    """The same at length."""
    return (
        f"{split.capitalize()} image {wrong.number}: {wrong.truth}, taken for "
        f"{wrong.says} now, {100 * wrong.sure:.1f} % sure; right before with "
        f"{100 * wrong.was_sure:.1f} %."
    )
