"""The card of a voltage model: what it is, what it was made from, and how far it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.voltage.calibrate import Calibration
from core.voltage.evaluation.errors import ErrorRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How far a model is off on rows that it was not fitted on, by partition (`random`, `host`).

    `limit_std_v`: the standard deviation beyond which a structure is out of the domain. `coverage`: share of labels
    inside the 90 % interval; `cross_checked_coverage`: on halves that the calibration did not see. `sharpness_v`: mean
    standard deviation. `coverage_by_ion`: by partition and ion, the factor of each group fitted on the other folds;
    empty in a model that was calibrated without groups.
    """

    limit_std_v: float
    errors: Mapping[str, tuple[ErrorRow, ...]]
    coverage: Mapping[str, float]
    cross_checked_coverage: float
    sharpness_v: Mapping[str, float]
    mae_in_domain_v: Mapping[str, float | None]
    mae_out_of_domain_v: Mapping[str, float | None]
    share_out_of_domain: Mapping[str, float]
    coverage_by_ion: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageCard:
    """One form for every kind. `settings` are the kind's own; `seeds` one a member of the ensemble.

    `n_unusual`: labels outside the usual range, which were kept. `permuted_labels_mae_v`: error after training on
    shuffled labels, V, which no leak may push below guessing; None where that was not tried.
    """

    name: str
    kind: str
    description: str
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    sha256: str
    data_sha256: str
    n_labelled: int
    n_refused: int
    n_unusual: int
    calibration: Calibration
    evaluation: Evaluation
    tested: str
    licence: str
    versions: Mapping[str, str]
    command: str
    created: str
    permuted_labels_mae_v: float | None = None
