"""What a server does before anyone asks, and what its pages name for the browser to fetch meanwhile."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st

from app import preload, server, state
from app.query import ScreenQuery
from app.screening_view import filters_of
from core.errors import ModelError
from core.service.release import Filters

PARTS = ["_load_first_page", "voltage_model", "_load_potentials", "_load_drawing"]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was loaded, in order, without the time that it takes."""
    done: list[str] = []
    for name in PARTS:
        monkeypatch.setattr(state, name, lambda name=name: done.append(name))
    st.cache_resource.clear()
    yield done
    st.cache_resource.clear()


def test_the_server_loads_what_pages_share_from_its_start_on(loaded: list[str]) -> None:
    async def start() -> None:
        async with server.warming_up(server.app):
            state.warm_up().join()

    with ThreadPoolExecutor(1) as apart:  # the browser of other tests keeps an event loop in this thread
        apart.submit(asyncio.run, start()).result()
    assert loaded == PARTS
    state.wait_until_warm()
    assert loaded == PARTS


def test_what_is_absent_keeps_nothing_else_from_loading(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise ModelError("no model here")

    monkeypatch.setattr(state, "voltage_model", absent)
    state.warm_up().join()
    assert loaded == [name for name in PARTS if name != "voltage_model"]


def test_the_first_view_is_served_from_what_was_loaded() -> None:
    assert filters_of(ScreenQuery()) == Filters()


@pytest.mark.parametrize(
    ("path", "parts"),
    [("/", ("PlotlyChart", "DataFrame")), ("/base/candidate", ("BidiComponent", "structure_viewer.js?v="))],
)
def test_a_page_names_what_it_is_drawn_with(path: str, parts: tuple[str, ...]) -> None:
    link = preload.link_header(path)
    assert all(part in link for part in parts)
    static = Path(st.__file__).parent / "static"
    for item in link.split(", "):
        address = item.removeprefix("<./").removesuffix(">; rel=modulepreload")
        assert (static / address).is_file() or address.startswith("app/static/structure_viewer.js?v=")


def test_only_pages_name_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"headers": [(b"content-type", b"text/html; charset=utf-8")]}
    script = {"headers": [(b"content-type", b"text/javascript")]}
    assert server._links({"path": "/"}, page)
    assert not server._links({"path": "/"}, script)
    assert not server._links({"path": "/about"}, page)
    monkeypatch.setattr(preload, "_file", lambda _: "")
    assert not server._links({"path": "/"}, page)
