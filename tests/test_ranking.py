"""The score: each part by hand, what is not known earns nothing and is named, weights are read strictly."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.errors import RecordError
from core.ranking import MELTED_FACTOR, PARTS, Weights, energy_density, score, with_figures
from core.screening import SURE, in_order, novelty, one_per_formula, ranked
from core.supply import price_usd_per_kg
from core.thresholds import Thresholds

NAN = math.nan
ASKED = Thresholds(sigma_ms_per_cm=None)
SPINEL: dict[str, Any] = {
    "id": "a", "formula": "MgMn2O4", "chemsys": "Mg-Mn-O", "source": "MP(3DSC)", "voltage_v": 3.2, "voltage_std_v": 0.2,
    "capacity_vol_ah_per_l": 1000.0, "capacity_redox_vol_ah_per_l": 1000.0, "capacity_redox_grav_mah_per_g": 250.0,
    "charged_e_above_hull_ev_per_atom": 0.1, "e_above_hull_ev_per_atom": 0.05, "framework": "topotactic",
    "barrier_ev": 0.65, "barrier_std_ev": 0.1, "sigma_ms_per_cm": 100.0, "sigma_low_ms_per_cm": 50.0,
    "sigma_high_ms_per_cm": 200.0, "sigma_verdict": "diffusive",
}  # fmt: skip
BY_HAND = {
    "voltage": 0.8413447460685429, "energy": 3200.0 / 5000.0, "charged": 0.75, "discharged": 0.75, "host": 1.0,
    "barrier": 0.5, "conductivity": 0.5,
}  # fmt: skip


def scored(*rows: dict[str, Any], weights: Weights = Weights(), asked: Thresholds = ASKED) -> pd.DataFrame:  # noqa: B008
    return score(with_figures(pd.DataFrame([SPINEL | row for row in rows])), asked, weights)


def test_every_part_by_hand() -> None:
    (row,) = scored({}).to_dict("records")
    price = price_usd_per_kg("MgMn2O4")
    assert price is not None
    by_hand = BY_HAND | {"price": 1.0 - math.log10(price) / 3.0}
    assert {name: row[f"score_{name}"] for name in PARTS} == pytest.approx(by_hand)
    weights = Weights().as_dict()
    expected = sum(weights[name] * by_hand[name] for name in PARTS) / sum(weights.values())
    assert row["score"] == pytest.approx(expected) and row["score_unknown"] == ""


@pytest.mark.parametrize(
    ("part", "row", "expected"),
    [
        ("charged", {"charged_e_above_hull_ev_per_atom": -0.3}, 1.0),
        ("charged", {"charged_e_above_hull_ev_per_atom": 0.5}, 0.0),
        ("discharged", {"e_above_hull_ev_per_atom": NAN, "discharged_e_above_hull_ev_per_atom": 0.1}, 0.5),
        ("host", {"framework": "distorted"}, 0.5), ("host", {"framework": "collapsed"}, 0.0),
        ("host", {"framework": "not converged"}, NAN),
        ("energy", {"capacity_redox_vol_ah_per_l": 0.0}, 0.0), ("energy", {"voltage_v": -1.0}, 0.0),
        ("conductivity", {"sigma_ms_per_cm": 1000.0}, 1.0), ("conductivity", {"sigma_ms_per_cm": 10.0}, 0.0),
        ("conductivity", {"sigma_ms_per_cm": NAN, "sigma_verdict": "upper limit"}, NAN),
        ("conductivity", {"sigma_ms_per_cm": NAN, "sigma_high_ms_per_cm": 60.0, "sigma_verdict": "upper limit"}, 0.0),
        ("conductivity", {"sigma_verdict": "framework melted"}, 0.0),
        ("price", {"formula": "MgF2"}, NAN), ("price", {"formula": "Au"}, 0.0),
    ],
)  # fmt: skip
def test_the_ends_of_each_part(part: str, row: dict[str, Any], expected: float) -> None:
    found = scored(row)
    assert found[f"score_{part}"][0] == pytest.approx(expected, nan_ok=True)
    assert found["score_unknown"][0] == (part if math.isnan(expected) else "")


def test_what_is_not_known_earns_nothing_and_a_melt_halves() -> None:
    known, unknown = scored({}, {"barrier_ev": NAN})["score"]
    assert known - unknown == pytest.approx(0.5 / sum(Weights().as_dict().values()))
    solid, melted = scored({"sigma_ms_per_cm": 1.0}, {"sigma_verdict": "framework melted"})["score"]
    assert melted == pytest.approx(MELTED_FACTOR * solid)


def test_weights_change_the_order_and_those_of_nothing_are_not_missed() -> None:
    cheap, low = {"formula": "MgMn2O4", "barrier_ev": NAN}, {"formula": "MgCo2O4", "barrier_ev": 0.2}
    assert scored(cheap, low)["score"].idxmax() == 1
    found = scored(cheap, low, weights=Weights.parse("price=10, barrier=0"))
    assert found["score"].idxmax() == 0 and found["score_unknown"].tolist() == ["", ""]


def test_weights_are_read_as_they_are_written() -> None:
    weights = Weights.parse("barrier=2,price=0")
    assert (weights.barrier, weights.price, weights.energy) == (2.0, 0.0, Weights().energy)
    assert weights.text() == "barrier=2,price=0" and Weights.parse(weights.text()) == weights
    assert Weights.parse("") == Weights() and Weights().text() == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("barrier", "'barrier' is not of the form name=number"), ("barrier=x", "'barrier=x' is not"),
        ("colour=1", "no part colour of the score; it has voltage, energy"),
        ("price=-1", "price is -1; a number from 0"),
        ("price=11", "from 0 to 10"), ("price=nan", "price is nan"),
        (",".join(f"{name}=0" for name in PARTS), "all weights are 0"),
    ],
)  # fmt: skip
def test_weights_that_are_none_are_refused(text: str, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        Weights.parse(text)


def test_energy_density_is_of_what_the_redox_metals_pay_for() -> None:
    (row,) = energy_density(pd.DataFrame([SPINEL])).to_dict("records")
    assert row == {
        "energy_vol_wh_per_l": pytest.approx(3200.0),
        "energy_grav_wh_per_kg": pytest.approx(800.0),
    }
    assert energy_density(pd.DataFrame({"id": ["a"]})).isna().all(axis=None)


def test_candidates_of_a_verdict_are_ordered_by_their_score() -> None:
    rows = pd.DataFrame(
        [SPINEL, SPINEL | {"id": "b", "barrier_ev": 0.3}, SPINEL | {"id": "c", "barrier_ev": 2.0}]
    )
    assert ranked(rows, ASKED)["id"].tolist() == ["b", "a", "c"]  # c: the barrier speaks against it


def test_above_99_percent_probabilities_do_not_order_the_papers_view() -> None:
    """Two that round to the same "> 99 %": the better score comes first, though the other's chance is 1e-9 higher."""
    sure = {"voltage_v": 4.0, "voltage_std_v": 0.1}
    rows = pd.DataFrame(
        [SPINEL | sure | {"id": "a", "voltage_v": 4.2, "barrier_ev": NAN}, SPINEL | sure | {"id": "b"}]
    )
    paper = Thresholds(sigma_ms_per_cm=None, definition="paper")
    ordered = ranked(rows, paper)
    assert ordered["id"].tolist() == ["b", "a"]
    assert (ordered["p_all"] > SURE).all() and ordered["p_all"].is_monotonic_increasing


def test_polymorphs_are_one_row_the_best_with_their_number() -> None:
    frame = pd.DataFrame(
        [SPINEL, SPINEL | {"id": "b", "barrier_ev": 0.3}, SPINEL | {"id": "c", "formula": "MgCo2O4"}]
    )
    ordered = ranked(frame, ASKED)
    found = one_per_formula(ordered)
    assert dict(zip(found["id"], found["n_polymorphs"], strict=True)) == {"b": 2, "c": 1}
    assert one_per_formula(ordered.iloc[:0]).empty and in_order(ordered, ASKED).equals(ordered)


def test_labelled_known_and_new_are_told_apart() -> None:
    frame = pd.DataFrame({"source": ["GNoME(Energy-GNoME)", "MP(3DSC)", "MP-battery(sondrt)", "GNoME"],
                          "mp_average_voltage_v": [NAN, NAN, 2.9, 3.0]})  # fmt: skip
    assert novelty(frame).tolist() == ["new", "known", "labelled", "labelled"]
    assert novelty(pd.DataFrame({"id": ["a"]})).tolist() == ["known"]


def test_the_page_of_the_score_names_every_part_with_its_weight() -> None:
    text = (Path(__file__).parents[1] / "docs" / "ranking.md").read_text(encoding="utf-8")
    for name, weight in Weights().as_dict().items():
        assert f"| `{name}` | {weight:g} |" in text
