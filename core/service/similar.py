"""Candidates that are like one: polymorphs, the same prototype with other elements, and neighbours to the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from core.quantities import is_missing
from core.screening import ranked
from core.store import Reader
from core.thresholds import Thresholds

COLUMNS: Final = (
    "id", "formula", "spacegroup", "verdict", "voltage_v", "capacity_redox_vol_ah_per_l", "e_above_hull_ev_per_atom",
)  # fmt: skip
"""Of each table; neighbours have `distance` too."""

SHOWN: Final = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Similar:
    """Best first, at most `SHOWN` of each. `polymorphs`: of the same formula. `prototypes`: of the same anonymous
    formula and space group, such as AB2C4 in Fd-3m; `n_polymorphs`, `n_prototypes`: how many there are.

    `neighbours`: nearest first, by the vectors that the voltage model learned; `distance` is the most that they can be
    apart, over the labelled electrodes that both lie near.
    """

    polymorphs: pd.DataFrame
    n_polymorphs: int
    prototypes: pd.DataFrame
    n_prototypes: int
    neighbours: pd.DataFrame


def similar(reader: Reader, row: Mapping[str, Any], thresholds: Thresholds) -> Similar:
    """Return the candidates that are like the one of a row of the view `screening`, without itself."""
    frame = reader.screen()
    others = frame[frame["id"] != row["id"]]
    same_formula = others["formula"] == row["formula"]
    polymorphs = ranked(others[same_formula], thresholds)
    prototypes = ranked(_of_prototype(others[~same_formula], row), thresholds)
    near = reader.near_candidates(row["id"], SHOWN)
    neighbours = ranked(others[others["id"].isin(near["id"])], thresholds).merge(near, on="id")
    return Similar(
        polymorphs=_shown(polymorphs),
        n_polymorphs=len(polymorphs),
        prototypes=_shown(prototypes),
        n_prototypes=len(prototypes),
        neighbours=_shown(neighbours.sort_values(["distance", "id"])).join(neighbours["distance"]),
    )


def anonymous_formula(formula: str) -> str:
    """Return a formula with its elements as letters, the rarest first: MgCr2O4 -> AB2C4."""
    from pymatgen.core import Composition

    return str(Composition(formula).anonymized_formula)


def _of_prototype(frame: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """Those of the same space group first, so that few formulas are read."""
    if is_missing(row["spacegroup"]):
        return frame.iloc[:0]
    asked = anonymous_formula(str(row["formula"]))
    there = frame[frame["spacegroup"] == row["spacegroup"]]
    return there[[anonymous_formula(formula) == asked for formula in there["formula"]]]


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table; where its source states no energy above hull, the computed one stands."""
    stated, computed = frame["e_above_hull_ev_per_atom"], frame["discharged_e_above_hull_ev_per_atom"]
    return frame.assign(e_above_hull_ev_per_atom=stated.fillna(computed)).head(SHOWN)[list(COLUMNS)]
