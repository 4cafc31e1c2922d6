"""What the elements of a compound cost, and which of them one would rather not use: radioactive, rare, toxic.

Prices: `pymatgen.analysis.cost`, whose table of pure elements dates from 2013 to 2020 (Wolfram Alpha, Wikipedia): an
order of magnitude, not an offer. The compound costs what the mass of its elements does; oxygen and nitrogen are free
enough not to matter.
"""

import csv
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
import pandas as pd

from core.records import FloatArray

RARE: Final = frozenset({"Ru", "Rh", "Pd", "Os", "Ir", "Pt", "Au", "Re", "Te"})
"""The nine rarest metals of the upper continental crust: the platinum group, gold, rhenium, tellurium.

G. B. Haxel, J. B. Hedrick, G. J. Orris, Rare Earth Elements: Critical Resources for High Technology, U.S. Geological
Survey Fact Sheet 087-02 (2002), its figure of abundances.
"""

TOXIC: Final = frozenset({"As", "Cd", "Hg", "Pb", "Tl"})
"""Class 1 of the guideline ICH Q3D(R2) on elemental impurities: As, Cd, Hg, Pb; and Tl, whose permitted daily exposure
by mouth (8 micrograms) lies below mercury's (30). Class 2A, which is Co, Ni and V, is not counted: most cathodes hold
one of them.
"""

SOLD_AS_SALTS: Final = frozenset({"F", "Na", "P", "K", "Rb", "Cs"})
"""Elements whose salts cost a small part of the pure element: its price says nothing of a compound's."""


RADIOACTIVE: Final = frozenset(
    {
        "Tc", "Pm", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es",
        "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts",
        "Og",
    }
)  # fmt: skip
"""Elements without a stable isotope, those of `pymatgen.core.Element.is_radioactive` (a test compares): importing that
would take half a second of a page's first view. Bismuth is not among them, which lasts a billion times the age of the
universe.
"""

_TABLE: Final = "analysis/costdb_elements.csv"
"""Where in pymatgen its prices of elements lie: formula, US dollars a kilogram, note, reference between bars."""


def shunned(elements: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the radioactive and the rare ones among some elements, each in alphabetical order."""
    present = set(elements)
    return sorted(present & RADIOACTIVE), sorted(present & RARE)


@lru_cache(maxsize=1)
def element_prices_usd_per_kg() -> dict[str, float]:
    """Return the prices of pure elements that are known and say something of a compound's.

    The table of `pymatgen.analysis.cost.CostDBElements`, read without importing it.
    """
    table = files("pymatgen").joinpath(_TABLE).read_text(encoding="utf-8")
    rows = (row for row in csv.reader(table.splitlines(), quotechar="|") if row)
    return {symbol: float(price) for symbol, price, *_ in rows if symbol not in SOLD_AS_SALTS}


@lru_cache(maxsize=65_536)
def price_usd_per_kg(formula: str) -> float | None:
    """Return the price of a compound, sum of m_i p_i / sum of m_i in US dollars a kilogram, or None.

    m_i: mass of element i in a formula unit; p_i: its price. None where a price is unknown or says nothing
    (`SOLD_AS_SALTS`), and for what is no formula.
    """
    from ase.data import atomic_masses, atomic_numbers
    from ase.formula import Formula

    prices = element_prices_usd_per_kg()
    try:
        counts = Formula(formula).count()
    except ValueError:
        return None
    if not counts or not counts.keys() <= prices.keys():
        return None
    masses = {symbol: n * float(atomic_masses[atomic_numbers[symbol]]) for symbol, n in counts.items()}
    return sum(mass * prices[symbol] for symbol, mass in masses.items()) / sum(masses.values())


def prices_usd_per_kg(formulas: "pd.Series[str]") -> FloatArray:
    """Return (n,) `price_usd_per_kg` of formulas, NaN where it is not known."""
    codes, unique = pd.factorize(formulas)
    prices = np.array([*(price_usd_per_kg(formula) for formula in unique), None], dtype=np.float64)
    answer: FloatArray = prices[codes]  # code -1, no formula, is the last: not known
    return answer
