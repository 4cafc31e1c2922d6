"""How good the voltage models are, read from `precomputed/accuracy` and the model cards; nothing is trained here.

`<model>.csv` holds each labelled electrode twice, predicted by members that did not see it: in the random partition and
in that by host formula. `<name>.json` files hold the error tables of baselines on the same folds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import binomtest

from core.errors import ModelError
from core.settings import Settings
from core.voltage.calibrate import HALF_WIDTH_IN_STD, LEVEL
from core.voltage.card import VoltageCard
from core.voltage.evaluation.errors import ErrorRow, resampled
from core.voltage.kinds import SHIPPED
from core.voltage.weights import read_card

RANDOM, HOST = "random", "host"
PARTITIONS: Final = (RANDOM, HOST)
LEVELS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Nominal coverages of the reliability plot."""

_TEXTS: Final = (
    "partition", "battery_id", "working_ion", "formula", "id_discharge", "host_formula", "voltage_check",
)  # fmt: skip
_NUMBERS: Final = ("voltage_v", "predicted_v", "std_v")
_REMEDY: Final = "Restore it from git or run `python -m core train-voltage --data ../shared/data`."

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with its 95 % interval and the number of rows behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadBin:
    """Rows of like stated spread: mean half width of the 90 % intervals, V, and what 90 % of errors stay below."""

    half_width_v: float
    observed_v: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A model on the task: error tables by partition, rows as in `ErrorRow`; command that made them, where stated."""

    name: str
    description: str
    errors: Mapping[str, tuple[ErrorRow, ...]]
    command: str = ""

    def row(self, partition: str, working_ion: str) -> ErrorRow | None:
        """Return the errors of an ion, of `all` rows or of the `seven-ion mean`, if they are there."""
        return next((row for row in self.errors.get(partition, ()) if row.working_ion == working_ion), None)


def shipped_card(name: str = "default", folder: Path | None = None) -> VoltageCard:
    """Return the card of a model in `folder`, that of the shipped models by default; raises `ModelError`."""
    return read_card(Settings.from_environment().precomputed / "models" if folder is None else folder, name)


def read_out_of_fold(name: str, folder: Path | None = None) -> pd.DataFrame:
    """Return the out-of-fold predictions of a model, one row an electrode and partition.

    Columns: partition, battery_id, working_ion, formula, id_discharge, host_formula, voltage_check, voltage_v,
    predicted_v, std_v, in_domain, and error_v = predicted_v - voltage_v. An absent or damaged table is a `ModelError`.
    """
    path = (_folder() if folder is None else folder) / f"{name}.csv"
    try:
        frame = pd.read_csv(
            path, dtype=dict.fromkeys(_TEXTS, str) | dict.fromkeys(_NUMBERS, float), keep_default_na=False
        )
    except FileNotFoundError:
        raise ModelError(
            f"{path.name} is missing in {path.parent}: no predictions to judge. {_REMEDY}"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} is not the table that it should be ({error}). {_REMEDY}") from None
    missing = [column for column in (*_TEXTS, *_NUMBERS, "in_domain") if column not in frame]
    if missing or frame.empty or not np.isfinite(frame[list(_NUMBERS)].to_numpy()).all():
        reason = (
            f"it lacks {', '.join(missing)}"
            if missing
            else "it is empty or holds numbers that are not finite"
        )
        raise ModelError(f"{path.name} is damaged: {reason}. {_REMEDY}")
    inside = frame["in_domain"].astype(str).str.lower().isin(("true", "1"))
    return frame.assign(in_domain=inside, error_v=frame["predicted_v"] - frame["voltage_v"])


def unseen_host_predictions(frame: pd.DataFrame, working_ion: str) -> pd.Series:
    """Return the mean prediction, V, by id of the discharged structure, of members that saw no electrode of its host.

    `frame`: as of `read_out_of_fold`.
    """
    unseen = frame[(frame["partition"] == HOST) & (frame["working_ion"] == working_ion)]
    return unseen.groupby("id_discharge")["predicted_v"].mean()


def mean_absolute_error(frame: pd.DataFrame, *, seed: int = 0) -> Interval:
    """Return the MAE of the rows, V, with a 95 % bootstrap interval; `frame` needs one row at least."""
    errors = frame["error_v"].abs().to_numpy()
    low, high = np.percentile(resampled(errors, _generator(seed)), [2.5, 97.5])
    return Interval(value=float(errors.mean()), low=float(low), high=float(high), n=len(errors))


def coverage(frame: pd.DataFrame, level: float = LEVEL) -> Interval:
    """Return the share of rows whose label lies in the central interval of nominal coverage `level` (Wilson interval).

    The interval is predicted_v +- z std_v with z the normal quantile of (1 + level) / 2.
    """
    z = HALF_WIDTH_IN_STD if level == LEVEL else float(ndtri(0.5 * (1.0 + level)))
    n, inside = len(frame), int((frame["error_v"].abs() <= z * frame["std_v"]).sum())
    interval = binomtest(inside, n).proportion_ci(0.95, method="wilson")
    return Interval(value=inside / n, low=float(interval.low), high=float(interval.high), n=n)


def spread_bins(frame: pd.DataFrame, n_bins: int = 8, *, seed: int = 0) -> list[SpreadBin]:
    """Return the rows in `n_bins` equal parts by stated spread, with the error that 90 % of each part stay below."""
    ordered = frame.sort_values("std_v", kind="stable")
    bins = []
    for rows in np.array_split(np.arange(len(ordered)), n_bins):
        errors = ordered["error_v"].abs().to_numpy()[rows]
        low, high = np.percentile(
            resampled(errors, _generator(seed), partial(np.quantile, q=LEVEL)), [2.5, 97.5]
        )
        found = Interval(
            value=float(np.quantile(errors, LEVEL)), low=float(low), high=float(high), n=len(errors)
        )
        half_width = HALF_WIDTH_IN_STD * float(ordered["std_v"].to_numpy()[rows].mean())
        bins.append(SpreadBin(half_width_v=half_width, observed_v=found))
    return bins


def worst_cases(frame: pd.DataFrame, n: int = 20) -> pd.DataFrame:
    """Return the `n` rows with the largest errors, the largest first."""
    order = frame["error_v"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order[:n]].reset_index(drop=True)


def baseline_of_card(card: VoltageCard) -> Baseline:
    """Return a trained model, by its card, as one of those that are compared."""
    return Baseline(
        name=card.name, description=card.description, errors=card.evaluation.errors, command=card.command
    )


def other_models(card: VoltageCard) -> list[Baseline]:
    """Return what a model is held against: all baselines, and the other models that ship and are none of them.

    A damaged file is a `ModelError`.
    """
    others = [it for it in read_baselines() if it.name != card.name]
    names = {card.name, *(it.name for it in others)}
    return [*others, *(baseline_of_card(shipped_card(name)) for name in SHIPPED if name not in names)]


def read_baselines(folder: Path | None = None) -> list[Baseline]:
    """Return the baselines of all JSON files in the folder, in the order of names; a damaged file is a `ModelError`."""
    folder = _folder() if folder is None else folder
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text())
            found += [_baseline(name, entry, content) for name, entry in content["peers"].items()]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{path.name} is not a table of baselines ({error}); restore it from git or run its benchmark again."
            ) from None
    return found


def _baseline(name: str, entry: Mapping[str, Any], content: Mapping[str, Any]) -> Baseline:
    errors = {partition: _rows(entry[partition]) for partition in PARTITIONS if partition in entry}
    return Baseline(
        name=name, description=entry["description"], errors=errors, command=str(content.get("command", ""))
    )


def _rows(rows: list[dict[str, Any]]) -> tuple[ErrorRow, ...]:
    return tuple(ErrorRow(**row) for row in rows)


def _folder() -> Path:
    return Settings.from_environment().precomputed / "accuracy"


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 3])
