"""The screening of a release: what is listed, in which order, and what the shortlist says of itself."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.probability import pass_probability
from core.service.release import Filters, Reader, facets, open_reader
from core.service.screen import (
    REASONS,
    WANTED,
    Thresholds,
    affordable,
    assessed_row,
    chances,
    figure_span,
    screen,
    shortlist,
)
from tests.store.small_release import make_release

NO_SIGMA = Thresholds(sigma_ms_per_cm=None, definition="paper")
ALL = Thresholds(voltage_v=0.0, capacity_vol_ah_per_l=0.0, sigma_ms_per_cm=None, definition="paper")
CATHODES = Thresholds(voltage_v=0.0, capacity_vol_ah_per_l=0.0, sigma_ms_per_cm=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("precomputed")
    make_release(folder)
    return folder


@pytest.fixture
def reader(folder: Path) -> Iterator[Reader]:
    with open_reader(folder) as opened:
        yield opened


def test_those_that_pass_are_listed_likeliest_first(reader: Reader) -> None:
    screening = screen(reader.screen(), NO_SIGMA)
    assert screening.listed["id"].tolist() == ["gnome-3", "mp-32006"]
    assert screening.front is None and screening.passing.sum() == screening.funnel.capacity == 2
    assert screening.funnel.all == len(screening.frame) == 5


def test_those_that_fail_and_those_without_a_prediction_come_last(reader: Reader) -> None:
    listed = screen(reader.screen(), NO_SIGMA, with_failing=True).listed
    assert listed["id"].tolist() == ["gnome-3", "mp-32006", "mp-2", "mp-1", "gnome-4"]
    assert listed["p_all"].isna().tolist() == [False] * 4 + [True]


def test_the_front_alone(reader: Reader) -> None:
    screening = screen(reader.screen(), ALL, front_only=True)
    assert screening.listed["id"].tolist() == ["gnome-3", "mp-1"]
    assert screening.front is not None and screening.front.sum() == 2


def test_cathodes_come_by_their_verdict(reader: Reader) -> None:
    """MgMnO2 lies below 3 V with its whole interval; MgO and MgCu can never be charged."""
    screening = screen(reader.screen(), Thresholds(sigma_ms_per_cm=None), with_failing=True)
    assert screening.listed["id"].tolist() == ["mp-32006", "gnome-3", "mp-2", "mp-1", "gnome-4"]
    assert screening.listed["verdict"].tolist() == ["open", "open", "doubtful", "no cathode", "no cathode"]
    assert screening.frame.loc[screening.passing, "id"].tolist() == ["gnome-3", "mp-32006"]
    assert screening.listed["price_usd_per_kg"].notna().all()


def test_what_is_no_cathode_beats_none(reader: Reader) -> None:
    """MgO has the most capacity of all, by the paper's definition."""
    assert "mp-1" in set(screen(reader.screen(), ALL, front_only=True).listed["id"])
    assert "mp-1" not in set(screen(reader.screen(), CATHODES, front_only=True).listed["id"])
    doubtful = screen(reader.screen(), CATHODES, verdicts=("doubtful",), with_failing=True, front_only=True)
    assert doubtful.listed.empty


def test_a_price_that_is_not_known_passes_no_limit(reader: Reader) -> None:
    frame = reader.screen()
    assert affordable(frame, 1e6)["id"].tolist() == frame["id"].tolist()
    dear = frame.assign(formula=["MgF2", *frame["formula"][1:]])
    assert len(affordable(dear, 1e6)) == len(frame) - 1
    assert affordable(frame, 0.0).empty


@pytest.mark.parametrize(
    "thresholds", [NO_SIGMA, ALL, CATHODES, Thresholds(voltage_v=2.0, sigma_ms_per_cm=10.0)]
)
def test_the_shortlist_is_the_screening_with_its_front_marked(reader: Reader, thresholds: Thresholds) -> None:
    """The front among those that pass is the front of all, cut to those that pass: a better one passes too."""
    chosen = shortlist(reader, thresholds)
    whole = screen(reader.screen(), thresholds, front_only=True)
    listed = screen(reader.screen(), thresholds).listed
    pd.testing.assert_frame_equal(chosen.rows[listed.columns], listed)
    assert set(chosen.rows) - set(listed) == {*REASONS, "on_pareto_front"}
    on_front = chosen.rows.loc[chosen.rows["on_pareto_front"], "id"].tolist()
    assert on_front == whole.listed["id"].tolist()


def test_the_shortlist_takes_filters_and_tells_its_release(reader: Reader) -> None:
    chosen = shortlist(reader, ALL, Filters(required_elements=("Mn",)))
    assert chosen.rows["id"].tolist() == ["mp-2", "mp-32006"]  # as sure, and with more energy
    told = chosen.side_car()
    assert told["rows"] == 2 and told["thresholds"] == ALL.as_dict()
    assert told["release"] == asdict(reader.release)
    assert chosen.csv().splitlines()[0].startswith("id,formula,source,license")


def test_cathodes_alone_are_listed_by_default_with_their_reasons(reader: Reader) -> None:
    chosen = shortlist(reader, CATHODES)
    every = shortlist(reader, ALL)
    assert set(chosen.rows["id"]) < set(every.rows["id"])
    assert set(chosen.rows["verdict"]) <= set(WANTED)
    assert (every.rows.loc[~every.rows["id"].isin(chosen.rows["id"]), "reasons_against"] != "").all()
    assert chosen.csv().startswith("id,formula,verdict,score,reasons_for,reasons_against,unknown,")
    assert chosen.side_car()["verdicts"] == list(WANTED) and every.side_car()["verdicts"] is None


def test_the_chances_of_one_are_those_of_the_frame(reader: Reader) -> None:
    for row in reader.screen().to_dict("records"):
        expected = pass_probability(pd.DataFrame([row]), NO_SIGMA).iloc[0]
        told = asdict(chances(row, NO_SIGMA))
        assert list(told) == list(expected.index)
        np.testing.assert_equal(list(told.values()), expected.tolist())


def test_facets_count_what_one_may_filter_by(reader: Reader) -> None:
    offered = facets(reader)
    assert offered.n_candidates == 5 and offered.n_conductivities == offered.n_simulated == 0
    assert offered.elements["Mg"] == 5 and offered.elements["O"] == 4
    assert offered.sources == {"Materials Project": 3, "GNoME": 2}
    assert list(offered.redox_metals) == ["Mn", "Cu", "Fe"]


def test_the_span_of_a_figure_is_over_all_candidates(reader: Reader) -> None:
    assert figure_span(reader, "voltage_v") == (0.1, 3.6)
    assert figure_span(reader, "score") == figure_span(reader, "p_all") == (0.0, 1.0)
    assert figure_span(reader, "barrier_ev") == (0.0, 1.0)  # nothing is known: any axis will do
    low, high = figure_span(reader, "energy_vol_wh_per_l")
    assert low == 0.0 and high > 3000.0 and figure_span(reader, "price_usd_per_kg")[0] > 0.0
    with pytest.raises(KeyError, match="beauty"):
        figure_span(reader, "beauty")


def test_one_row_is_assessed_as_in_its_list(reader: Reader) -> None:
    listed = screen(reader.screen(), CATHODES, with_failing=True).listed
    for row in listed.to_dict("records"):
        told = assessed_row(reader.candidate(row["id"]), CATHODES)
        for name in (
            "score",
            "p_all",
            "verdict",
            "energy_vol_wh_per_l",
            "score_unknown",
            "conductivity_outcome",
        ):
            np.testing.assert_equal(told[name], row[name])
