"""Prices of compounds from those of their elements, and the elements that one would rather not use."""

import math

import numpy as np
import pandas as pd
import pytest
from pymatgen.analysis.cost import CostAnalyzer, CostDBElements
from pymatgen.core import Element

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

KNOWN = [
    "FeO",
    "MgFe2O4",
    "MgMn2O4",
    "MgCr2O4",
    "MgV2O5",
    "MgCo2O4",
    "MgNiO2",
    "MgTiS3",
    "MgMoO4",
    "Au2O3",
    "IrO2",
]


@pytest.mark.parametrize("formula", KNOWN)
def test_known_compounds_have_a_finite_price(formula: str) -> None:
    price = price_usd_per_kg(formula)
    assert price is not None
    assert math.isfinite(price) and price > 0.0


def test_the_dearer_element_makes_the_dearer_compound() -> None:
    dear = [price_usd_per_kg(f"Mg{element}2O4") or math.nan for element in ("Fe", "Mn", "Co", "Ag", "Au")]
    assert dear == sorted(dear)
    assert dear[-1] > 1000.0 * dear[0]


def test_a_price_is_weighted_by_mass() -> None:
    # atomic masses 24.305 and 58.693
    prices = element_prices_usd_per_kg()
    by_hand = (24.305 * prices["Mg"] + 58.693 * prices["Ni"]) / (24.305 + 58.693)
    assert price_usd_per_kg("MgNi") == pytest.approx(by_hand, rel=1e-4)
    assert price_usd_per_kg("Fe") == pytest.approx(prices["Fe"])


@pytest.mark.parametrize(
    ("one", "other"), [("MgMn2O4", "Mg2Mn4O8"), ("MgMn2O4", "Mn2MgO4"), ("Mg(MnO2)2", "MgMn2O4")]
)
def test_a_price_does_not_depend_on_how_the_formula_is_written(one: str, other: str) -> None:
    assert price_usd_per_kg(one) == pytest.approx(price_usd_per_kg(other))


@pytest.mark.parametrize("element", sorted(SOLD_AS_SALTS))
def test_elements_sold_as_salts_say_nothing_of_a_price(element: str) -> None:
    assert element not in element_prices_usd_per_kg()
    assert price_usd_per_kg(f"Mg{element}O") is None


@pytest.mark.parametrize("formula", ["", "Xx", "??", "not a formula", "mgO", "MgF2", "UO2"])
def test_what_has_no_price_is_none_and_not_nought(formula: str) -> None:
    assert price_usd_per_kg(formula) is None


@pytest.mark.filterwarnings("ignore:No Pauling electronegativity")
def test_prices_are_those_of_pymatgen() -> None:
    analyzer = CostAnalyzer(CostDBElements())
    for formula in KNOWN:
        assert price_usd_per_kg(formula) == pytest.approx(analyzer.get_cost_per_kg(formula), rel=1e-3)


def test_prices_are_positive_numbers_of_elements() -> None:
    prices = element_prices_usd_per_kg()
    assert len(prices) > 60
    assert all(Element.is_valid_symbol(symbol) for symbol in prices)
    assert all(math.isfinite(price) and price >= 0.0 for price in prices.values())


def test_prices_of_a_column_keep_its_order() -> None:
    found = prices_usd_per_kg(pd.Series(["Au2O3", "MgF2", "FeO", "Au2O3"], index=[5, 3, 3, 1]))
    assert found.dtype == np.float64
    assert found[0] == found[3] == price_usd_per_kg("Au2O3")
    assert np.isnan(found[1])
    assert found[2] == price_usd_per_kg("FeO")


def test_a_row_without_a_formula_has_no_price() -> None:
    prices = prices_usd_per_kg(pd.Series([None, "MgCr2O4", float("nan")]))
    assert np.isnan(prices[[0, 2]]).all() and prices[1] == price_usd_per_kg("MgCr2O4")


def test_prices_of_no_rows() -> None:
    assert prices_usd_per_kg(pd.Series([], dtype=str)).shape == (0,)


def test_radioactive_elements_are_those_of_pymatgen() -> None:
    assert {element.symbol for element in Element if element.is_radioactive} - {"D", "T"} == RADIOACTIVE


@pytest.mark.parametrize("element", ["Tc", "U", "Th", "Pm", "Pu", "Ra"])
def test_radioactive_elements_are_found(element: str) -> None:
    assert shunned(["Mg", element, "O"]) == ([element], [])


@pytest.mark.parametrize("element", ["Ru", "Rh", "Pd", "Os", "Ir", "Pt", "Au", "Re", "Te"])
def test_rare_elements_are_found(element: str) -> None:
    assert shunned(["Mg", element, "O"]) == ([], [element])


@pytest.mark.parametrize(
    "element", ["Mg", "O", "F", "Fe", "Mn", "Co", "Ni", "V", "Cr", "Bi", "La", "Ce", "Nd"]
)
def test_common_and_stable_elements_are_not_shunned(element: str) -> None:
    assert shunned([element]) == ([], [])
    assert element not in TOXIC


@pytest.mark.parametrize("element", ["As", "Cd", "Hg", "Pb", "Tl"])
def test_toxic_elements_are_a_filter_and_not_shunned(element: str) -> None:
    assert element in TOXIC
    assert shunned(["Mg", element, "O"]) == ([], [])


def test_shunned_elements_come_once_and_in_order() -> None:
    assert shunned(["U", "Re", "O", "Tc", "Ir", "U"]) == (["Tc", "U"], ["Ir", "Re"])
    assert shunned([]) == ([], [])


def test_groups_hold_elements_and_do_not_overlap() -> None:
    for group in (RARE, TOXIC, RADIOACTIVE, SOLD_AS_SALTS):
        assert all(Element.is_valid_symbol(symbol) for symbol in group)
    assert RARE.isdisjoint(RADIOACTIVE) and TOXIC.isdisjoint(RARE) and TOXIC.isdisjoint(RADIOACTIVE)
