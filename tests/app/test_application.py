"""What the application does around its window."""

import gc

from app.application import settle


def test_what_start_up_made_is_never_searched_for_garbage_again():
    made = {"by": "start-up"}
    made["itself"] = made  # a cycle, so that the collector knows it
    gc.disable()
    try:
        settle()
        assert gc.isenabled()
        assert not any(each is made for each in gc.get_objects())
    finally:
        gc.unfreeze()
    assert any(each is made for each in gc.get_objects())
