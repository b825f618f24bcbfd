"""Log lines: times and levels; and the report of a checkpoint."""

from app.tables.checkpoint import headline, report
from app.tables.log_lines import Line, lines
from engine import events as e


def test_a_line_for_each_sentence():
    failed = e.RunFailed("It broke.", "Mend it.", time=65.0)
    assert list(lines(failed)) == [
        Line(65.0, "It broke.", "error"),
        Line(65.0, "Mend it.", "error"),
    ]
    assert next(lines(failed)).full == "   1:05  It broke."
    assert not list(lines(e.Trained(0.1, 0.1, 0.1)))


def test_the_checkpoint_report_is_complete():
    event = e.CheckpointLoaded("a.pth", 5, ("a -> b",), ("c",), ("d", "e"), ("f",))
    assert headline(event) == (
        "Checkpoint: 5 matched, 1 renamed, 1 missing, 2 unexpected, 1 of another shape"
    )
    words = report(event).split()
    assert all(key in words for key in "abcdef")
    assert headline(e.CheckpointLoaded("a.pth", 5)) == "Checkpoint: 5 matched"
