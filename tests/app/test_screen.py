"""The Screen page, run as a script: its numbers, its link, its states."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.screening import Thresholds, funnel
from core.store import Filters, open_reader

Opener = Callable[..., AppTest]


def counts(app: AppTest) -> list[str]:
    return [metric.value for metric in app.metric]


def test_counts_are_those_of_the_release(open_page: Opener, release_folder) -> None:
    app = open_page()
    with open_reader(release_folder) as reader:
        expected = funnel(reader.screen(Filters()), Thresholds(sigma_ms_per_cm=None))
    assert not app.exception and not app.error
    assert counts(app)[1:4] == [f"{n:,}" for n in (expected.all, expected.voltage, expected.capacity)]
    assert len(app.dataframe[0].value) == expected.capacity


def test_slider_and_number_input_move_together(open_page: Opener) -> None:
    app = open_page()
    app.slider(key="voltage_v_slider").set_value(1.5).run()
    assert app.number_input(key="voltage_v_number").value == 1.5
    app.number_input(key="voltage_v_number").set_value(2.25).run()
    assert app.slider(key="voltage_v_slider").value == 2.25
    assert (app.dataframe[0].value["voltage_v"] > 2.25).all()


def test_state_is_written_to_the_link_and_read_back(open_page: Opener) -> None:
    app = open_page()
    app.slider(key="capacity_vol_ah_per_l_slider").set_value(600.0).run()
    app.toggle(key="in_domain_only_switch").set_value(True).run()
    app.text_input(key="text_input").input("mn").run()
    query = dict(app.query_params)
    assert query == {"v": "3", "q": "600", "domain": "1", "find": "mn"}
    again = open_page(**query)
    assert counts(again) == counts(app)
    assert again.toggle(key="in_domain_only_switch").value


def test_filters_reach_the_store(open_page: Opener) -> None:
    app = open_page(v="0", q="0", **{"with": "Mn,O", "without": "F", "all": "1"})
    formulas = app.dataframe[0].value["label"]
    assert len(formulas) > 50
    assert formulas.str.contains("Mn").all() and not formulas.str.contains("F(?!e)", regex=True).any()
    before = counts(app)
    app.button[0].click().run()  # Clear filters
    assert counts(app)[0] == counts(app)[1] != before[1]
    assert "with" not in app.query_params


def test_selected_candidate_is_summarised(open_page: Opener) -> None:
    app = open_page(id="mp-32006")
    assert "MgMn₂O₄" in [heading.value for heading in app.subheader]
    app.button(key="clear_selection").click().run()
    assert "No candidate selected" in app.main.markdown[-2].value or not app.subheader
    assert "id" not in app.query_params


def test_unknown_id_is_said(open_page: Opener) -> None:
    app = open_page(id="mp-0")
    assert "holds no candidate" in app.warning[0].value


def test_pareto_front_lists_only_its_members(open_page: Opener) -> None:
    app = open_page(v="1", q="500")
    every = len(app.dataframe[0].value)
    app.toggle(key="pareto_switch").set_value(True).run()
    front = app.dataframe[0].value
    assert 0 < len(front) < every
    ordered = front.sort_values("capacity_vol_ah_per_l")["voltage_v"]
    assert ordered.is_monotonic_decreasing


def test_pass_probability_orders_the_table(open_page: Opener) -> None:
    shown = open_page(v="1", q="500").dataframe[0].value["p_percent"]
    assert shown.is_monotonic_decreasing and shown.between(0, 100).all()


def test_conductivity_is_off_with_a_reason_while_there_is_none(open_page: Opener, release_folder) -> None:
    with open_reader(release_folder) as reader:
        if reader.release.counts["conductivities"]:
            pytest.skip("this release holds conductivities")
    slider = open_page().slider(key="sigma_ms_per_cm_slider")
    assert slider.disabled


def test_nothing_passes_is_a_sentence(open_page: Opener) -> None:
    app = open_page(v="7", q="3000")
    assert "Nothing to list" in app.info[0].value
    nothing = open_page(find="no such formula")
    assert "leave no candidate" in nothing.info[0].value
