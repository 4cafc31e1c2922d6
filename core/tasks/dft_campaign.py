"""Which crystals first principles are spent on: labelled electrodes to be held against, and the best candidates.

Both by a rule, so that nothing is picked by hand. All are oxides, fluorides or chalcogenides of a redox metal, give up
all their ions by the count of `core.oxidation`, and hold no radioactive element and no lanthanoid (whose f electrons
need a treatment that is not offered). Labelled: the charged end of the label is empty of ions; the cheapest electrode
of each pair of redox metals and strongest anion, until there are enough. Candidates: in the voltage model's domain,
above 2.5 V and 600 Ah/L, formulas in the order of the default view, so that what is put forward is what is checked; of
each the cheapest crystal that has its best verdict.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.dft import Level, cost
from core.records import Crystal
from core.screening import ranked
from core.store import SCREEN_COLUMNS, Reader
from core.supply import RADIOACTIVE
from core.thresholds import ASKED, SCOPE_CAPACITY_AH_PER_L, SCOPE_VOLTAGE_V

LEFT_OUT: Final = RADIOACTIVE | frozenset(
    {"La", "Ce", "Pr", "Nd", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu"}
)
"""Lanthanoids, and what is radioactive."""

ANIONS: Final = frozenset({"O", "F", "S", "Se"})
"""The strongest anion of a host is one of these."""

MAX_ATOMS: Final = 28
_ALL_OF_IT: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A crystal to spend first principles on, with the CPU seconds that its discharged end will take."""

    crystal: Crystal
    is_labelled: bool
    seconds: float


def chosen(
    reader: Reader, *, n_labelled: int = 15, n_candidates: int = 24, level: Level | None = None
) -> list[Choice]:
    """Return the crystals that the rule chooses, quickest first."""
    rows = reader.screen(columns=(*SCREEN_COLUMNS, "elements", "redox_metals"))
    rows = rows[(rows.redox_metals.map(len) > 0) & (rows.n_sites <= MAX_ATOMS)]
    rows = rows[rows.elements.map(lambda elements: _anion(elements) in ANIONS)]
    rows = rows[rows.elements.map(lambda elements: not LEFT_OUT & set(elements))]
    rows = rows[rows.capacity_redox_vol_ah_per_l >= _ALL_OF_IT * rows.capacity_vol_ah_per_l]
    level = level or Level()
    found = [
        *_labelled(reader, rows, n_labelled, level),
        *_candidates(reader, rows[rows.mp_average_voltage_v.isna()], n_candidates, level),
    ]
    return sorted(found, key=lambda choice: choice.seconds)


def _labelled(reader: Reader, rows: pd.DataFrame, n: int, level: Level) -> list[Choice]:
    """Take the cheapest of each kind of host, then the next cheapest of each, until there are `n`."""
    electrodes = reader.electrodes("Mg")
    empty = electrodes[~electrodes.formula_charge.str.contains("Mg")].id_discharge
    rows = rows[rows.mp_average_voltage_v.notna() & rows.id.isin(set(empty))]
    hosts: dict[str, list[Choice]] = {}
    for row in rows.itertuples():
        choice = _choice(reader.crystal(row.id), True, level)
        hosts.setdefault(f"{'-'.join(row.redox_metals)} {_anion(row.elements)}", []).append(choice)
    for choices in hosts.values():
        choices.sort(key=lambda choice: choice.seconds)
    rounds = [
        (depth, choice.seconds, index, choice)
        for index, choices in enumerate(hosts.values())
        for depth, choice in enumerate(choices)
    ]
    return [choice for *_, choice in sorted(rounds, key=lambda it: it[:3])[:n]]


def _candidates(reader: Reader, rows: pd.DataFrame, n: int, level: Level) -> list[Choice]:
    rows = rows[rows.in_domain & (rows.voltage_v > SCOPE_VOLTAGE_V)]
    rows = rows[rows.capacity_redox_vol_ah_per_l > SCOPE_CAPACITY_AH_PER_L]
    found: list[Choice] = []
    for _, alike in ranked(rows, ASKED).groupby("formula", sort=False):
        best = alike[alike.verdict == alike.verdict.iloc[0]]
        choices = [_choice(reader.crystal(id), False, level) for id in best.id]
        found.append(min(choices, key=lambda choice: choice.seconds))
        if len(found) == n:
            break
    return found


def _choice(crystal: Crystal, is_labelled: bool, level: Level) -> Choice:
    return Choice(crystal=crystal, is_labelled=is_labelled, seconds=cost(crystal, level).seconds)


def _anion(elements: Iterable[str]) -> str:
    """The most electronegative element, which names the class of a host."""
    from pymatgen.core import Element

    return max(elements, key=lambda symbol: float(Element(symbol).X or 0.0))
