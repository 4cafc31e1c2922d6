"""Measured cathodes beside what is predicted for them."""

from dataclasses import dataclass

import pandas as pd

from core.landmarks import LANDMARKS, Landmark, capacity_vol_ah_per_l
from core.store import Reader
from core.voltage.accuracy import Interval, mean_absolute_error, unseen_host_predictions

__all__ = ["Agreement", "Landmark", "agreement", "measured_cathodes"]

_SCREENED = ("id", "formula", "voltage_v", "capacity_vol_ah_per_l", "capacity_grav_mah_per_g")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far predictions lie from measured voltages: mean absolute error with its 95 % interval, and mean error."""

    mae: Interval
    bias_v: float


def measured_cathodes(reader: Reader, out_of_fold: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the landmarks, one row each.

    Columns: name, structure, reaction, electrolyte, temperature_k, remark, doi, measured_v,
    measured_capacity_grav_mah_per_g, measured_capacity_vol_ah_per_l, id (of the discharged structure where the release
    holds it) and predicted_v; for a labelled electrode by members that saw no electrode of its host, where
    `out_of_fold` (as `core.voltage.accuracy.read_out_of_fold` returns it) holds one. Unknown is NaN or None.
    """
    screened = reader.screen(columns=_SCREENED).set_index("id")
    unseen = None if out_of_fold is None else unseen_host_predictions(out_of_fold, "Mg")
    return pd.DataFrame([_row(it, screened, unseen) for it in LANDMARKS])


def _row(it: Landmark, screened: pd.DataFrame, unseen: pd.Series | None) -> dict[str, object]:
    known = it.discharged_id in screened.index
    predicted_v, per_litre = float("nan"), float("nan")
    if known:
        found = screened.loc[it.discharged_id]
        density = found["capacity_vol_ah_per_l"] / found["capacity_grav_mah_per_g"]
        per_litre = capacity_vol_ah_per_l(it, found["formula"], density) or float("nan")
        predicted_v = found["voltage_v"]
        if unseen is not None:
            predicted_v = unseen.get(it.discharged_id, predicted_v)
    return {
        "name": it.name, "structure": it.structure, "reaction": it.reaction, "electrolyte": it.electrolyte,
        "temperature_k": it.temperature_k, "remark": it.remark, "doi": it.doi, "measured_v": it.voltage_v,
        "measured_capacity_grav_mah_per_g": it.capacity_grav_mah_per_g,
        "measured_capacity_vol_ah_per_l": per_litre, "id": it.discharged_id if known else None,
        "predicted_v": predicted_v,
    }  # fmt: skip


def agreement(rows: pd.DataFrame) -> Agreement | None:
    """Return how far the predictions lie from the measured voltages, or None where fewer than two can be compared."""
    both = rows[["measured_v", "predicted_v"]].dropna()
    if len(both) < 2:
        return None
    apart = (both["predicted_v"] - both["measured_v"]).to_frame("error_v")
    return Agreement(mae=mean_absolute_error(apart), bias_v=float(apart["error_v"].mean()))
