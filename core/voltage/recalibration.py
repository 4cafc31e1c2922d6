"""Calibrate a shipped model anew from its table of out-of-fold predictions: weights and predictions stay."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.artifacts import write_json
from core.codec import to_json
from core.errors import TrainingError
from core.graphs import atomic_numbers
from core.settings import Settings
from core.voltage.base import Indices
from core.voltage.calibrate import Calibration, Domain, cross_checked_factors, with_factors
from core.voltage.card import VoltageCard
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.evaluation.cross_validate import (
    OutOfFold,
    element_rows,
    frameworks_known,
    frameworks_of,
    partitions,
)
from core.voltage.evaluation.errors import baselines
from core.voltage.evaluation.evaluate import figures, joined
from core.voltage.groups import factors_of
from core.voltage.training import write_out_of_fold
from core.voltage.weights import read_card

AS_STATED: Final = Calibration(floor_v=0.0, spread_weight=1.0, distance_weight=0.0, n=0)
"""Takes a row's spread for its standard deviation: the table holds what floor, spread and distance make together."""


def recalibrate(data_dir: Path, name: str, *, models_dir: Path | None = None) -> VoltageCard:
    """Fit the factors of the groups on a model's out-of-fold table; write card and table, and return the card.

    A second run changes nothing but roundings. Raises `TrainingError` where the table is absent or of other data,
    `ModelError`, `SourceError`.
    """
    models_dir = models_dir or Settings.from_environment().precomputed / "models"
    card, data = read_card(models_dir, name), load_labelled(data_dir)
    predicted = read_out_of_fold(models_dir, card, data)
    errors_v, held = joined(data, predicted)
    stated = with_factors(AS_STATED, errors_v, held, held.spread_v)
    evaluation = figures(data, predicted, stated, cross_checked_factors(errors_v, held, held.spread_v))
    evaluation = replace(
        evaluation, errors=card.evaluation.errors
    )  # those of the table are of rounded voltages
    calibration = replace(card.calibration, factors=stated.factors, known_frameworks=stated.known_frameworks)
    card = replace(card, calibration=calibration, evaluation=evaluation)
    write_json(models_dir / f"{card.name}.json", to_json(card))
    write_out_of_fold(_table(models_dir, card), data, predicted, stated, evaluation.limit_std_v)
    return card


def read_out_of_fold(models_dir: Path, card: VoltageCard, data: LabelledData) -> dict[str, OutOfFold]:
    """Return the out-of-fold predictions of a model's table by partition; `spread_v` is the plain standard deviation.

    Folds, baselines and what was known in each are worked out from the data. Raises `TrainingError`.
    """
    table = _table(models_dir, card)
    if card.data_sha256 != data.data_sha256 or not table.is_file():
        raise TrainingError(
            f"{table} is absent, or not of the labelled data given: there are no out-of-fold predictions to calibrate "
            "on. Train the model instead."
        )
    with table.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    place = {electrode.battery_id: row for row, electrode in enumerate(data.electrodes)}
    frameworks = frameworks_of(data)
    found = {}
    for name, folds in partitions(data, seed=card.seeds[0] // 100).items():
        of_part = {place[line["battery_id"]]: line for line in lines if line["partition"] == name}
        rows = np.array(sorted(of_part), dtype=np.int64)
        if len(rows) != len(data):
            raise TrainingError(
                f"{table.name} holds {len(rows)} rows of the partition {name!r}, the data {len(data)}: a model that "
                "was not tested on every fold cannot be calibrated from its table."
            )
        stated_v = np.array([float(of_part[row]["std_v"]) for row in rows])
        inside = np.array([of_part[row]["in_domain"] == "True" for row in rows])
        known_frameworks = frameworks_known(frameworks, folds)
        plain_v = stated_v / factors_of(
            card.calibration.factors, data.working_ions, known_frameworks.tolist()
        )
        means, medians, elements, fold = _of_folds(data, folds)
        found[name] = OutOfFold(
            rows=rows, voltages_v=np.array([float(of_part[row]["predicted_v"]) for row in rows]),
            spread_v=plain_v, distance=np.zeros(len(rows)), doubt_v=np.zeros(len(rows)),
            working_ions=tuple(data.working_ions), frameworks=tuple(frameworks.tolist()),
            framework_known=known_frameworks, fold=fold,
            known=elements & (inside | (stated_v > card.evaluation.limit_std_v)), baseline_v=(means, medians),
        )  # fmt: skip
    return found


def _table(models_dir: Path, card: VoltageCard) -> Path:
    return models_dir.parent / "accuracy" / f"{card.name}.csv"


def _of_folds(
    data: LabelledData, folds: list[Indices]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], Indices]:
    """Mean and median of the training labels, whether all elements were known, and the fold, of each row."""
    n = len(data)
    means, medians, fold = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64)
    known = np.zeros(n, dtype=np.bool_)
    for number, test in enumerate(folds):
        train = np.setdiff1d(np.arange(n), test)
        mean, median = baselines(data.voltages_v, data.working_ions, train)
        domain = Domain(np.zeros((1, 1), dtype=np.float32), element_rows(data, train), np.inf)
        means[test], medians[test], fold[test] = mean[test], median[test], number
        known[test] = [
            not domain.unknown_elements(atomic_numbers(data.crystals[row].species).tolist()) for row in test
        ]
    return means, medians, known, fold
