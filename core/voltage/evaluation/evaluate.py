"""From out-of-fold predictions to the calibration, error tables, coverage and domain of a model."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.voltage.base import Floats
from core.voltage.calibrate import (
    Calibration,
    Held,
    coverage,
    cross_checked_coverage,
    cross_fitted_inside,
    fit_calibration,
)
from core.voltage.card import Evaluation
from core.voltage.dataset import LabelledData
from core.voltage.evaluation.cross_validate import N_FOLDS, OutOfFold
from core.voltage.evaluation.errors import ALL, ErrorRow, error_table

DOMAIN_QUANTILE: Final = 0.95
"""Share of the out-of-fold rows of known elements whose standard deviation lies below the domain's limit."""


def evaluate(data: LabelledData, predicted: Mapping[str, OutOfFold]) -> tuple[Calibration, Evaluation]:
    """Return the calibration over all out-of-fold rows, and the figures for the card, by partition."""
    errors_v, held = joined(data, predicted)
    calibration = fit_calibration(errors_v, held)
    return calibration, figures(data, predicted, calibration, cross_checked_coverage(errors_v, held))


def joined(data: LabelledData, predicted: Mapping[str, OutOfFold]) -> tuple[Floats, Held]:
    """Return the errors of all partitions one after another, V, and what is known of their rows."""
    errors_v = np.concatenate([it.voltages_v - data.voltages_v[it.rows] for it in predicted.values()])
    return errors_v, Held.joined([it.held for it in predicted.values()])


def figures(
    data: LabelledData, predicted: Mapping[str, OutOfFold], calibration: Calibration, cross_checked: float
) -> Evaluation:
    """Return the figures for the card with a given calibration."""
    labels = data.voltages_v
    errors = {name: item.voltages_v - labels[item.rows] for name, item in predicted.items()}
    std = {name: calibration.std_v(item.held) for name, item in predicted.items()}
    known = np.concatenate([item.known for item in predicted.values()])
    limit = float(np.quantile(np.concatenate(list(std.values()))[known], DOMAIN_QUANTILE))
    inside = {name: item.known & (std[name] <= limit) for name, item in predicted.items()}
    return Evaluation(
        limit_std_v=limit,
        errors={
            name: tuple(row.rounded() for row in table_of(data, item)) for name, item in predicted.items()
        },
        coverage={name: coverage(errors[name], std[name]) for name in predicted},
        cross_checked_coverage=cross_checked,
        sharpness_v={name: float(values.mean()) for name, values in std.items()},
        mae_in_domain_v={name: _mae(errors[name][inside[name]]) for name in predicted},
        mae_out_of_domain_v={name: _mae(errors[name][~inside[name]]) for name in predicted},
        share_out_of_domain={name: float(1.0 - inside[name].mean()) for name in predicted},
        coverage_by_ion=coverage_by_ion(data, predicted, calibration),
    )


def coverage_by_ion(
    data: LabelledData, predicted: Mapping[str, OutOfFold], calibration: Calibration
) -> dict[str, dict[str, float]]:
    """Return the share of labels inside the 90 % interval by partition and ion, factors fitted on other folds."""
    found: dict[str, dict[str, float]] = {}
    for name, inside in inside_by_partition(data, predicted, calibration).items():
        ions = np.asarray(predicted[name].working_ions)
        found[name] = {str(ion): round(float(inside[ions == ion].mean()), 4) for ion in np.unique(ions)}
        found[name][ALL] = round(float(inside.mean()), 4)
    return found


def inside_by_partition(
    data: LabelledData, predicted: Mapping[str, OutOfFold], calibration: Calibration
) -> dict[str, NDArray[np.bool_]]:
    """Return whether each label lies inside its 90 % interval, the groups' factors fitted without its fold."""
    items = list(predicted.values())
    errors_v, held = joined(data, predicted)
    inside = cross_fitted_inside(
        errors_v, held, calibration.plain_std_v(held), electrodes=np.concatenate([item.rows for item in items]),
        folds=np.concatenate([item.fold + place * N_FOLDS for place, item in enumerate(items)]),
    )  # fmt: skip
    ends = np.cumsum([len(item.rows) for item in items])[:-1]
    return dict(zip(predicted, np.split(inside, ends), strict=True))


def table_of(data: LabelledData, item: OutOfFold) -> list[ErrorRow]:
    """Return the error table of out-of-fold predictions."""
    ions = [data.working_ions[row] for row in item.rows]
    return error_table(data.voltages_v[item.rows], item.voltages_v, ions, item.baseline_v)


def _mae(errors_v: Floats) -> float | None:
    return float(np.abs(errors_v).mean()) if len(errors_v) else None
