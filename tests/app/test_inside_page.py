"""The page on what models learned, and the atoms behind a candidate's voltage."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.components import contributions as component
from app.components.inside_figures import atom_figure, electrode_figure, element_figure
from app.theme import _DARK
from core.voltage.embeddings import RANDOM, SHIPPED, read_maps
from core.voltage.kinds.frozen_host.contributions import Contributions, SiteContribution

Opener = Callable[..., AppTest]


def plots(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_all_maps_are_drawn(open_page: Opener) -> None:
    app = open_page("inside")
    assert not app.exception and not app.error
    assert len(plots(app)) == 5
    card = read_maps(RANDOM).card
    assert any(f"{card['test_mae_v']:.2f} V" in text.value for text in app.markdown)


def test_the_projection_can_be_chosen(open_page: Opener) -> None:
    app = open_page("inside")
    assert plots(app)[2]["layout"]["xaxis"]["showticklabels"] is False
    app.get("button_group")[0].set_value("pca").run()
    assert "of the variance" in plots(app)[2]["layout"]["xaxis"]["title"]["text"]


def test_maps_of_another_model_are_said(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(_name: str) -> SimpleNamespace:
        return SimpleNamespace(name="frozen-host", sha256="f" * 64)

    monkeypatch.setattr("core.service.accuracy.shipped_card", other)
    app = open_page("inside")
    assert "Make them again" in app.warning[0].value


def test_absent_maps_leave_the_rest_of_the_page(
    open_page: Opener, precomputed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(precomputed, tmp_path / "pre", copy_function=_link)
    for path in (tmp_path / "pre" / "inside").glob(f"{SHIPPED}.*"):
        path.unlink()
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "pre"))
    app = open_page("inside")
    assert not app.exception
    assert len(plots(app)) == 2 and [f"{SHIPPED}" in error.value for error in app.error] == [True]


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(Path(source).resolve())


def test_working_ions_are_marked_on_every_map() -> None:
    random, shipped = read_maps(RANDOM), read_maps(SHIPPED)
    rings = element_figure(random.atoms["elements"], _DARK)["data"][-1]
    assert rings["name"] == "a working ion" and len(rings["x"]) == 10
    for found in (random.atoms["atoms"], shipped.atoms["sevennet"]):
        figure = atom_figure(found, _DARK)
        outlined = [trace for trace in figure["data"][:-1] if trace["marker"]["line"]["width"]]
        assert sum(len(trace["x"]) for trace in outlined) == found.is_working_ion.sum() > 0
        named = {note["text"] for note in figure["layout"]["annotations"]}
        assert "<b>Mg</b>" in named


def test_electrodes_are_coloured_by_ion_or_by_voltage() -> None:
    found = read_maps(SHIPPED).electrodes["electrodes"]
    by_ion = electrode_figure(found, "tsne", "ion", _DARK)["data"]
    assert len(by_ion) == 10 and sum(len(trace["x"]) for trace in by_ion) == len(found.formulas)
    (by_voltage,) = electrode_figure(found, "pca", "voltage", _DARK)["data"]
    assert np.array_equal(by_voltage["marker"]["color"], found.voltages_v)


SPLIT = Contributions(
    working_ion="Mg",
    voltage_v=0.75,
    sites=(
        SiteContribution(site=0, element="Mg", is_working_ion=True, contribution_v=1.0, ion_distance_a=3.0),
        SiteContribution(site=1, element="O", is_working_ion=False, contribution_v=-0.25, ion_distance_a=2.0),
    ),
)


def test_atoms_are_marked_by_sign_and_size_of_their_share() -> None:
    marks = component.marks(SPLIT)
    assert marks[0]["color"] == "#e0524d" and marks[0]["label"] == "+1.000 V"
    red, _, blue = (int(marks[1]["color"][at : at + 2], 16) for at in (1, 3, 5))
    assert blue > red and marks[1]["scale"] < marks[0]["scale"]


def test_shares_are_drawn_against_distance_for_the_host() -> None:
    (oxygen,) = component.distance_figure(SPLIT, _DARK)["data"]
    assert (oxygen["name"], oxygen["x"], oxygen["y"]) == ("O", [2.0], [-0.25])


def test_the_candidate_page_weighs_its_atoms_on_demand(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def weigh(crystal, working_ion, _sha256):
        asked.append((crystal.id, working_ion))
        return SPLIT

    monkeypatch.setattr(component, "_contributions", weigh)
    monkeypatch.setattr("app.state.voltage_model", lambda _name: type("Model", (), {"sha256": "0"}))
    monkeypatch.setattr("app.state.browser_query", lambda: {"id": "mp-32006"})
    st.cache_data.clear()
    app = open_page("candidate")
    assert not app.exception and not asked
    button = next(it for it in app.button if it.label == "Which atoms make this voltage")
    button.click().run()
    assert not app.exception and not app.error
    assert asked == [("mp-32006", "Mg")]
    assert any("0.75 V" in text.value for text in app.markdown)
    assert not [it for it in app.button if it.label == "Which atoms make this voltage"]
