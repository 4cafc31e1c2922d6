"""From predictions of rows that a model did not train on to its calibration, error tables, coverage and domain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.voltage.calibrate import Calibration, coverage, cross_checked_coverage, fit_calibration
from core.voltage.dataset import LabelledData
from core.voltage.evaluate import error_table

Floats = NDArray[np.float64]
DOMAIN_QUANTILE: Final = 0.95
"""Share of the held-out rows of known elements whose standard deviation lies below the domain's limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What is said of rows by a model that did not train on them, each array (n,) over `rows` of the data.

    `voltages_v` and `spread_v`: mean and standard deviation over the members, V. `distance`: to the training rows.
    `known`: whether all elements were known and the model trusts itself. `baseline_v`: mean and median of the
    training labels of the row's ion.
    """

    rows: NDArray[np.int64]
    voltages_v: Floats
    spread_v: Floats
    distance: Floats
    known: NDArray[np.bool_]
    baseline_v: tuple[Floats, Floats]


def judge(data: LabelledData, found: Mapping[str, HeldOut]) -> tuple[Calibration, dict[str, Any]]:
    """Return the calibration over all held-out rows, and the figures for the card, by partition."""
    labels = data.voltages_v
    errors = {name: item.voltages_v - labels[item.rows] for name, item in found.items()}
    joined = (
        np.concatenate(list(errors.values())),
        np.concatenate([item.spread_v for item in found.values()]),
        np.concatenate([item.distance for item in found.values()]),
    )
    calibration = fit_calibration(*joined)
    std = {name: calibration.std_v(item.spread_v, item.distance) for name, item in found.items()}
    known = np.concatenate([item.known for item in found.values()])
    limit = float(np.quantile(np.concatenate(list(std.values()))[known], DOMAIN_QUANTILE))
    inside = {name: item.known & (std[name] <= limit) for name, item in found.items()}
    return calibration, {
        "limit_std_v": limit,
        "errors": {name: _errors(data, item) for name, item in found.items()},
        "coverage": {name: coverage(errors[name], std[name]) for name in found},
        "cross_checked_coverage": cross_checked_coverage(*joined),
        "sharpness_v": {name: float(values.mean()) for name, values in std.items()},
        "mae_in_domain_v": {name: _mae(errors[name][inside[name]]) for name in found},
        "mae_out_of_domain_v": {name: _mae(errors[name][~inside[name]]) for name in found},
        "share_out_of_domain": {name: float(1.0 - inside[name].mean()) for name in found},
    }


def _errors(data: LabelledData, item: HeldOut) -> list[dict[str, Any]]:
    ions = [data.working_ions[row] for row in item.rows]
    table = error_table(data.voltages_v[item.rows], item.voltages_v, ions, item.baseline_v)
    return [row.to_dict() for row in table]


def _mae(errors_v: Floats) -> float | None:
    return float(np.abs(errors_v).mean()) if len(errors_v) else None
