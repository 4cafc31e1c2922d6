"""The plot of the Screen page: its axes, colours and legends, and what a click or a lasso picks."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.components.axes import PLOTTED
from app.components.scatter import Marks, screen_figure, selected_ids
from app.theme import palette
from core.quantities import QUANTITIES
from core.service.screen import ASKED, screen
from core.store import open_reader

Opener = Callable[..., AppTest]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    with open_reader() as reader:
        rows = reader.screen()
    return rows.assign(label=rows["formula"])


def figure(frame: pd.DataFrame, **marks: Any) -> dict[str, Any]:
    told = screen(frame, ASKED)
    return screen_figure(
        told.frame,
        told.passing,
        Marks(**{"x": "capacity_redox_vol_ah_per_l", "y": "voltage_v"} | marks),
        palette(),
    )


def plotted(app: AppTest) -> dict[str, Any]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def trace(shown: dict[str, Any], name: str) -> dict[str, Any]:
    return next(it for it in shown["data"] if it["name"].startswith(name))


def test_what_holds_no_redox_metal_is_greyed_apart(frame: pd.DataFrame) -> None:
    shown = figure(frame)
    names = [it["name"].split(" (")[0] for it in shown["data"]]
    assert names[:3] == ["redox-inactive", "others", "passes"]
    assert sum(len(it["x"]) for it in shown["data"][:3]) == len(frame)
    assert trace(shown, "redox-inactive")["marker"]["color"] == palette().inert


def test_the_sizes_of_points_have_a_legend_where_conductivity_is_known(frame: pd.DataFrame) -> None:
    names = [it["name"] for it in figure(frame)["data"]]
    assert names[3:6] == ["10 mS/cm", "100 mS/cm", "1,000 mS/cm"]
    sizes = [it["marker"]["size"] for it in figure(frame)["data"][3:6]]
    assert sizes == sorted(set(sizes))
    assert len(figure(frame.assign(sigma_ms_per_cm=float("nan")))["data"]) == 3


def test_filters_do_not_move_the_axes(open_page: Opener) -> None:
    every, few = plotted(open_page()), plotted(open_page(**{"with": "Ni", "v": "3.3"}))
    n_every, n_few = (sum(len(it["customdata"]) for it in shown["data"][:3]) for shown in (every, few))
    assert n_every > n_few > 0
    for axis in ("xaxis", "yaxis"):
        assert few["layout"][axis]["range"] == every["layout"][axis]["range"]


@pytest.mark.parametrize("name", PLOTTED)
def test_every_figure_can_be_an_axis_and_a_colour(frame: pd.DataFrame, name: str) -> None:
    shown = figure(frame, x=name, colour=name)
    assert shown["layout"]["xaxis"]["title"]["text"].startswith(QUANTITIES[name].label)
    assert shown["layout"]["coloraxis"]["colorbar"]["title"]["text"].endswith(QUANTITIES[name].head)
    coloured = [it for it in shown["data"] if it["marker"].get("coloraxis")]
    grey = [it for it in shown["data"] if "colour not known" in it["name"]]
    assert (
        len(coloured) == len(grey) == 2
        and shown["layout"]["xaxis"]["range"][0] < shown["layout"]["xaxis"]["range"][1]
    )


def test_limits_are_lines_on_the_axis_that_shows_them(frame: pd.DataFrame) -> None:
    lines = figure(frame, limits={"voltage_v": (3.0, 4.5), "barrier_ev": (0.65,)})["layout"]["shapes"]
    assert [it["y0"] for it in lines] == [3.0, 4.5]
    (line,) = figure(frame, x="barrier_ev", limits={"barrier_ev": (0.65,)})["layout"]["shapes"]
    assert line["x0"] == 0.65


def test_more_traces_such_as_landmarks_are_drawn_last(frame: pd.DataFrame) -> None:
    landmark = {"type": "scatter", "name": "known cathodes", "x": [1.0], "y": [1.0]}
    assert figure(frame, more=[landmark])["data"][-1] == landmark


def test_axes_and_colour_stand_in_the_link(open_page: Opener) -> None:
    app = open_page()
    app.selectbox(key="x_axis").set_value("energy_vol_wh_per_l").run()
    app.selectbox(key="colour_axis").set_value("barrier_ev").run()
    link = {
        name: value if isinstance(value, str) else value[0] for name, value in dict(app.query_params).items()
    }
    assert link["x"] == "energy_vol_wh_per_l" and link["colour"] == "barrier_ev"
    shown = plotted(open_page(**link))
    assert (
        shown["layout"]["xaxis"]["title"]["text"] == "Energy density (Wh/L)"
        and "coloraxis" in shown["layout"]
    )


def test_a_click_picks_one_and_a_lasso_many_each_once() -> None:
    points = [
        {"customdata": "mp-1"},
        {"customdata": ["mp-2"]},
        {"customdata": "mp-1"},
        {"x": 1},
        {"customdata": 3},
    ]
    assert selected_ids({"selection": {"points": points}}) == ["mp-1", "mp-2"]
    assert selected_ids({"selection": {"points": []}}) == selected_ids(None) == []
