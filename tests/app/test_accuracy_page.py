"""The Accuracy page: both partitions, the paper beside our errors, peers, calibration, worst cases with links."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.components import accuracy_figures as figures
from app.components.accuracy_tables import structure_link, volts
from app.theme import _LIGHT
from core.ions import PAPER_IONS
from core.voltage import VoltageCard, accuracy

Opener = Callable[..., AppTest]


@pytest.fixture(scope="module")
def card() -> VoltageCard:
    return accuracy.shipped_card()


def texts(app: AppTest) -> str:
    parts = [element.value for kind in ("caption", "markdown", "info") for element in app.get(kind)]
    return " ".join([*parts, *(element.proto.body for element in app.get("html"))])


def plots(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_the_page_shows_the_errors_of_the_card(open_page: Opener, card: VoltageCard) -> None:
    app = open_page("accuracy")
    assert not app.exception and not app.error
    errors = accuracy.baseline_of_card(card)
    told = [errors.row("random", name) for name in ("Mg", "seven-ion mean", "all")]
    assert [tile.value for tile in app.metric[:3]] == [f"{row.mae_v:.3f} V" for row in told]
    assert app.metric[0].label == "MAE, magnesium" and "paper 0.29 V" in app.metric[0].delta
    assert [tile.label for tile in app.metric[3:]] == ["90 % intervals hold, Mg", "Out of domain, Mg"]
    assert f"{card.n_labelled:,}" in app.caption[0].value
    assert "were trained on relaxations of the Materials Project" in texts(app)


def test_parity_holds_every_electrode_and_says_how_many_are_off_the_axes(
    open_page: Opener, card: VoltageCard
) -> None:
    app = open_page("accuracy")
    parity = plots(app)[0]
    points = [trace for trace in parity["data"] if trace["mode"] == "markers"]
    assert len(points) == 10
    assert (
        sum(int(trace["name"].split("(")[1].rstrip(")").replace(",", "")) for trace in points)
        == card.n_labelled
    )
    assert "lie beyond the axes" in texts(app)


def test_unseen_hosts_can_be_chosen(open_page: Opener, card: VoltageCard) -> None:
    app = open_page("accuracy")
    app.get("button_group")[0].set_value("host").run()
    assert not app.exception and not app.error
    every = accuracy.baseline_of_card(card).row("host", "all")
    assert app.metric[2].value == f"{every.mae_v:.3f} V"
    assert any("unseen hosts" in header.value for header in app.subheader)


def test_a_link_may_ask_for_unseen_hosts(
    open_page: Opener, card: VoltageCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.state.browser_query", lambda: {"held_out": "host"})
    app = open_page("accuracy")
    assert app.metric[2].value == f"{accuracy.baseline_of_card(card).row('host', 'all').mae_v:.3f} V"
    monkeypatch.setattr("app.state.browser_query", lambda: {"held_out": "<b>nonsense"})
    assert (
        open_page("accuracy").metric[2].value
        == f"{accuracy.baseline_of_card(card).row('random', 'all').mae_v:.3f} V"
    )


def test_worst_cases_lead_to_their_structures(open_page: Opener) -> None:
    page = texts(open_page("accuracy"))
    assert page.count("https://materialsproject.org/materials/") + page.count("candidate?id=") >= 20


def test_measured_cathodes_stand_beside_their_predictions(open_page: Opener) -> None:
    page = texts(open_page("accuracy"))
    assert "lie between prediction and measurement" in page and "**n = 5**" in page
    assert "hold polarisation" in page and "no structure at hand" in page
    assert "https://doi.org/10.1038/srep05622" in page


def test_a_release_without_the_table_says_so(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr("core.voltage.accuracy._folder", lambda: tmp_path)
    import streamlit as st

    st.cache_data.clear()
    app = open_page("accuracy")
    assert not app.exception
    assert "is missing" in app.warning[0].value
    assert app.get("plotly_chart")  # models that ship are compared by their cards


def test_ions_stand_in_the_papers_order_with_its_values(card: VoltageCard) -> None:
    figure = figures.ion_figure(accuracy.baseline_of_card(card).errors, _LIGHT)
    labels = [text.split("<b>")[1].split("</b>")[0] for text in figure["layout"]["xaxis"]["ticktext"]]
    assert labels[:7] == list(PAPER_IONS) and labels[-2:] == ["all", "seven"]
    by_name = {trace["name"]: trace for trace in figure["data"]}
    assert by_name["Paper, its random split"]["y"][:3] == [0.32, 0.29, 0.32]
    bars = by_name["Unseen hosts"]["error_y"]
    assert min(bars["array"]) > 0 and min(bars["arrayminus"]) > 0


def test_the_shipped_model_stands_out_among_peers(card: VoltageCard) -> None:
    mine = accuracy.baseline_of_card(card)
    other = accuracy.Baseline(name="forest<b>", description="", errors=mine.errors)
    figure = figures.baselines_figure([mine, other], mine.name, _LIGHT)
    assert figure["layout"]["yaxis"]["ticktext"] == ["forest&lt;b&gt;", f"<b>{mine.name}</b>"]


def test_formulas_from_the_table_are_shown_as_text() -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "battery_id": ["<i>b"], "id_discharge": ["mp-1"], "working_ion": ["Mg"], "formula": ["<b>MgO"],
            "voltage_v": [1.0], "predicted_v": [1.1], "std_v": [0.1], "in_domain": [False],
        }
    )  # fmt: skip
    trace = figures.parity_figure(frame, _LIGHT)["data"][1]
    assert trace["text"] == ["&lt;b&gt;MgO"] and trace["customdata"][0][0] == "&lt;i&gt;b"
    assert trace["marker"]["symbol"] == ["circle-open"]


def test_structures_link_to_their_candidate_page_where_there_is_one() -> None:
    assert structure_link("mp-1", {"mp-1"}).url == "candidate?id=mp-1"
    assert structure_link("mp-2", {"mp-1"}).url == "https://materialsproject.org/materials/mp-2"
    assert structure_link("a/../b?", set()).url.endswith("a%2F..%2Fb%3F")
    assert volts(None) == "–"
