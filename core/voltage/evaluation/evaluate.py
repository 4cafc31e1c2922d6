"""From out-of-fold predictions to the calibration, error tables, coverage and domain of a model."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from core.voltage.base import Floats
from core.voltage.calibrate import Calibration, coverage, cross_checked_coverage, fit_calibration
from core.voltage.card import Evaluation
from core.voltage.dataset import LabelledData
from core.voltage.evaluation.cross_validate import OutOfFold
from core.voltage.evaluation.errors import ErrorRow, error_table

DOMAIN_QUANTILE: Final = 0.95
"""Share of the out-of-fold rows of known elements whose standard deviation lies below the domain's limit."""


def evaluate(data: LabelledData, predicted: Mapping[str, OutOfFold]) -> tuple[Calibration, Evaluation]:
    """Return the calibration over all out-of-fold rows, and the figures for the card, by partition."""
    labels = data.voltages_v
    errors = {name: item.voltages_v - labels[item.rows] for name, item in predicted.items()}
    joined = (
        np.concatenate(list(errors.values())),
        np.concatenate([item.spread_v for item in predicted.values()]),
        np.concatenate([item.distance for item in predicted.values()]),
    )
    calibration = fit_calibration(*joined)
    std = {name: calibration.std_v(item.spread_v, item.distance) for name, item in predicted.items()}
    known = np.concatenate([item.known for item in predicted.values()])
    limit = float(np.quantile(np.concatenate(list(std.values()))[known], DOMAIN_QUANTILE))
    inside = {name: item.known & (std[name] <= limit) for name, item in predicted.items()}
    return calibration, Evaluation(
        limit_std_v=limit,
        errors={
            name: tuple(row.rounded() for row in table_of(data, item)) for name, item in predicted.items()
        },
        coverage={name: coverage(errors[name], std[name]) for name in predicted},
        cross_checked_coverage=cross_checked_coverage(*joined),
        sharpness_v={name: float(values.mean()) for name, values in std.items()},
        mae_in_domain_v={name: _mae(errors[name][inside[name]]) for name in predicted},
        mae_out_of_domain_v={name: _mae(errors[name][~inside[name]]) for name in predicted},
        share_out_of_domain={name: float(1.0 - inside[name].mean()) for name in predicted},
    )


def table_of(data: LabelledData, item: OutOfFold) -> list[ErrorRow]:
    """Return the error table of out-of-fold predictions."""
    ions = [data.working_ions[row] for row in item.rows]
    return error_table(data.voltages_v[item.rows], item.voltages_v, ions, item.baseline_v)


def _mae(errors_v: Floats) -> float | None:
    return float(np.abs(errors_v).mean()) if len(errors_v) else None
