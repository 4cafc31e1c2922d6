"""Prices of compounds and lists of elements against the library that they come from."""

import warnings

import pandas as pd
import pytest

from core.supply import (
    RADIOACTIVE,
    RARE,
    SOLD_AS_SALTS,
    TOXIC,
    element_prices_usd_per_kg,
    price_usd_per_kg,
    prices_usd_per_kg,
    shunned,
)


def test_radioactive_elements_are_pymatgens() -> None:
    from pymatgen.core import Element

    assert {element.symbol for element in Element if element.is_radioactive} == RADIOACTIVE
    assert not RADIOACTIVE & RARE and "Bi" not in RADIOACTIVE


@pytest.mark.parametrize("formula", ["MgMn2O4", "Mg2Ni3PdO8", "Mg3Co3(AsO4)4", "MgSi2NiO6"])
def test_a_price_is_pymatgens_cost_analyzer(formula: str) -> None:
    from pymatgen.analysis.cost import CostAnalyzer, CostDBElements

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noble gases have no electronegativity
        expected = float(CostAnalyzer(CostDBElements()).get_cost_per_kg(formula))
    assert price_usd_per_kg(formula) == pytest.approx(expected, rel=2e-3)


def test_a_price_by_hand() -> None:
    prices = element_prices_usd_per_kg()
    by_hand = (24.305 * prices["Mg"] + 15.999 * prices["O"]) / 40.304
    assert price_usd_per_kg("MgO") == pytest.approx(by_hand)


@pytest.mark.parametrize("formula", ["MgF2", "NaMgO2", "MgAcO2", "not a formula", "", "MgXx"])
def test_what_has_no_price(formula: str) -> None:
    assert price_usd_per_kg(formula) is None


def test_prices_of_a_column_keep_their_places() -> None:
    prices = prices_usd_per_kg(pd.Series(["MgO", "MgF2", "MgO", None]))
    assert prices[0] == prices[2] == price_usd_per_kg("MgO")
    assert pd.isna(prices[[1, 3]]).all()
    assert len(prices_usd_per_kg(pd.Series([], dtype=object))) == 0


def test_which_elements_one_would_not_use() -> None:
    assert shunned(["Mg", "U", "Pd", "O", "Tc", "Au"]) == (["Tc", "U"], ["Au", "Pd"])
    assert shunned(["Mg", "Mn", "O"]) == ([], [])
    assert {"As", "Cd", "Hg", "Pb"} <= TOXIC and not TOXIC & {"Co", "Ni", "V"}
    assert {"F", "K"} <= SOLD_AS_SALTS
