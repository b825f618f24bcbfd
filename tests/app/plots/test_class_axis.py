"""The class axis: every name where there is room, cut or left out where not."""

from app.plots.class_axis import ClassAxis

NAMES = ("cat", "automobile", "dog", "airplane")


def test_names_are_cut_before_any_is_left_out(qtbot):
    axis = ClassAxis()
    assert axis.tickValues(0, 4, 100) == []
    axis.set_names(NAMES)
    ((_, wide),) = axis.tickValues(-0.6, 3.6, 800)
    assert wide == [0, 1, 2, 3]
    assert axis.tickStrings(wide, 1, 1) == list(NAMES)
    ((_, medium),) = axis.tickValues(-0.6, 3.6, 250)
    words = axis.tickStrings(medium, 1, 1)
    assert medium == wide and words[0] == "cat"
    assert words[1] != "automobile" and words[1].endswith("\N{HORIZONTAL ELLIPSIS}")
    ((every, narrow),) = axis.tickValues(-0.6, 3.6, 40)
    assert every > 1 and len(narrow) < 4
