"""Predicted and relaxed voltages beside first-principles ones, as in Fig. 4c of the paper."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.store import Reader
from core.voltage.accuracy import Interval, mean_absolute_error, unseen_host_predictions

PAPER_MAE_V: Final = 0.51
"""Of the paper's model against its own density-functional theory, for the materials that it selected."""

COLUMNS: Final = ("id", "formula", "voltage_v", "relaxed_voltage_v", "dft_voltage_v", "mp_average_voltage_v")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Mean absolute error of one voltage against another, with its 95 % interval, mean error and number of rows."""

    name: str
    mae: Interval
    bias_v: float
    n: int


def first_principles_rows(reader: Reader, out_of_fold: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the candidates with a first-principles voltage: `COLUMNS`, and `is_labelled`.

    For labelled ones `voltage_v` is the prediction by members that saw no electrode of their host, where `out_of_fold`
    (as `core.voltage.accuracy.read_out_of_fold` returns it) holds one: the model has learned from the others' labels.
    """
    frame = reader.screen(columns=COLUMNS)
    frame = frame[frame["dft_voltage_v"].notna()].reset_index(drop=True)
    if out_of_fold is not None:
        unseen = unseen_host_predictions(out_of_fold, "Mg")
        frame["voltage_v"] = frame["id"].map(unseen).fillna(frame["voltage_v"])
    return frame.assign(is_labelled=frame["mp_average_voltage_v"].notna())


def comparisons(rows: pd.DataFrame) -> list[Comparison]:
    """Return how far the voltages lie apart, those pairs of which at least two rows are known."""
    pairs = (
        ("Predicted against DFT", rows, "voltage_v", "dft_voltage_v"),
        ("Those without a label", rows[~rows["is_labelled"]], "voltage_v", "dft_voltage_v"),
        ("Relaxed against DFT", rows, "relaxed_voltage_v", "dft_voltage_v"),
        ("DFT here against the label", rows, "dft_voltage_v", "mp_average_voltage_v"),
    )
    found = []
    for name, of, one, other in pairs:
        both = of[[one, other]].dropna()
        if len(both) < 2:
            continue
        apart = (both[one] - both[other]).to_frame("error_v")
        bias_v = float(apart["error_v"].mean())
        found.append(Comparison(name=name, mae=mean_absolute_error(apart), bias_v=bias_v, n=len(both)))
    return found
