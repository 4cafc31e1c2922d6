"""A page obeys the owner's settings: a stranger is told why nothing starts, and loses nothing."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.service.policy import Visitor
from core.tasks import list_jobs
from tests.app.md_runs import MGO, press, words


@pytest.fixture
def from_afar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.visitor.visitor", lambda: Visitor(browser="c" * 16))


def test_a_stranger_may_look_and_is_told_that_nothing_starts(
    open_md: Callable[..., AppTest], from_afar: None
) -> None:
    app = open_md("candidate", id=MGO.id)
    app = press(press(app, "Measure step time"), "Start")
    assert not app.exception
    assert "cannot be started from here" in words(app)
    assert list_jobs() == []
