"""Background: answers come back, and none is asked for once the window ends."""

import threading

from app.background import Background


def test_answers_come_back_and_nothing_begins_after_the_end(qtbot):
    background, told, failed = Background(), [], []
    background.do(lambda: 5, told.append, failed.append)
    background.do(lambda: 1 / 0, told.append, failed.append)
    qtbot.waitUntil(lambda: bool(told and failed))
    assert told == [5] and isinstance(failed[0], ZeroDivisionError)

    def again(answer):
        background.do(lambda: 7, told.append, failed.append)
        told.append(answer)

    begun = threading.Event()
    background.do(lambda: begun.set() or 6, again, failed.append)
    begun.wait()
    background.close()
    qtbot.waitUntil(lambda: len(told) == 2)
    qtbot.wait(50)
    assert told == [5, 6] and len(failed) == 1
