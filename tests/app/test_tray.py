"""The shortlist: who is on it stands in the link, notes go into a file and come back, and files hold its rows."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.components import controls, shortlist_table, tray
from app.query import MAX_SHORTLISTED, ScreenQuery
from core.service.shortlist_file import shortlist_json

Opener = Callable[..., AppTest]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What a tab keeps, without a server."""
    kept: dict = {"screen": ScreenQuery()}
    monkeypatch.setattr(st, "session_state", kept)
    monkeypatch.setattr(st, "toast", lambda *_, **__: kept.setdefault("toasts", []).append(_))
    return kept


def subheaders(app: AppTest) -> list[str]:
    return [it.value for it in app.subheader]


def link_of(app: AppTest) -> dict[str, str]:
    return {name: it if isinstance(it, str) else it[0] for name, it in dict(app.query_params).items()}


def test_the_link_keeps_the_shortlist_also_of_what_filters_leave_out(
    open_page: Opener, small_release
) -> None:
    app = open_page(shortlist="mp-1,gnome-3,mp-404", find="mn")
    assert "Shortlist (3)" in subheaders(app)
    assert any("mp-404" in it.value.replace("\\", "") for it in app.warning)
    assert open_page(**link_of(app)).query_params["shortlist"] == app.query_params["shortlist"]
    next(it for it in app.button if it.label == "Clear shortlist").click().run()
    assert "Shortlist" in subheaders(app) and "shortlist" not in app.query_params


def test_the_card_puts_its_candidate_on_and_takes_it_off(open_page: Opener, small_release) -> None:
    app = open_page(id="mp-32006")
    app.button(key="card_shortlist").click().run()
    assert link_of(app)["shortlist"] == "mp-32006"
    app.button(key="card_shortlist").click().run()
    assert "shortlist" not in app.query_params


def test_ticks_put_aside_and_a_cell_selects(session: dict) -> None:
    session |= {"screen_table_ids": ["a", "b", "c"]}

    def touch(rows: list[int], cells: list[tuple[int, str]]) -> ScreenQuery:
        session["screen_table"] = {"selection": {"rows": rows, "cells": cells}}
        shortlist_table._chosen()
        return controls.current()

    ticked = touch([0, 2], [])
    assert ticked.shortlist == ("a", "c") and ticked.selected == "c"
    clicked = touch([0, 2], [(1, "label")])
    assert clicked.shortlist == ("a", "c") and clicked.selected == "b"
    unticked = touch([2], [(1, "label")])
    assert unticked.shortlist == ("c",) and unticked.selected == "b"


def test_a_shortlist_holds_what_a_link_can_carry(session: dict) -> None:
    controls.put_aside([f"mp-{n}" for n in range(MAX_SHORTLISTED + 3)])
    assert len(controls.current().shortlist) == MAX_SHORTLISTED and "3 did not fit" in session["toasts"][0][0]


def test_notes_are_kept_and_come_back_from_the_file(session: dict) -> None:
    session["table"] = {"edited_rows": {"1": {"note": "try a salt route"}, "0": {"keep": False}}}
    controls.put_aside(["a", "b"])
    tray._edited("table", ["a", "b"])
    assert tray.notes() == {"b": "try a salt route"} and controls.current().shortlist == ("b",)
    text = shortlist_json(["b", "c"], {**tray.notes(), "c": "cheap"}, {}, "1")
    session["shortlist_notes"] = {}
    session["shortlist_file"] = SimpleNamespace(name="mine.json", getvalue=text.encode)
    tray._brought_back()
    assert tray.notes() == {"b": "try a salt route", "c": "cheap"} and controls.current().shortlist == (
        "b",
        "c",
    )


def test_a_file_that_is_none_is_refused_by_name(open_page: Opener, small_release) -> None:
    app = open_page(shortlist="mp-1")
    app.file_uploader(key="shortlist_file").set_value(("mine.json", b"[]", "application/json")).run()
    assert "mine.json" in app.error[0].value and "no shortlist of format 1" in app.error[0].value
    text = shortlist_json(["mp-2"], {"mp-2": "cheap"}, {}, "1").encode()
    app.file_uploader(key="shortlist_file").set_value(("mine.json", text, "application/json")).run()
    assert not app.error and link_of(app)["shortlist"] == "mp-1,mp-2"
    assert app.session_state["shortlist_notes"] == {"mp-2": "cheap"}


def test_compare_and_files_are_offered_for_two_and_more(open_page: Opener, small_release) -> None:
    app = open_page(shortlist="mp-1,gnome-3,mp-2", v="2")
    links = [it.proto for it in app.get("page_link")]
    (compare,) = [it for it in links if it.label == "Compare"]
    assert "compare=gnome-3%2Cmp-2" in compare.query_string and "v=2" in compare.query_string
    labels = {it.proto.label for it in app.get("download_button")}
    assert {"Download CSV", "Side-car", "Both (zip)", "Shortlist as CSV", "With notes (JSON)"} <= labels
