"""How a shipped voltage model is made, whatever its kind: cross-validated, calibrated, fitted on all rows, written."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from core.artifacts import write_text
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.base import Prepared, Report
from core.voltage.calibrate import Calibration
from core.voltage.card import VoltageCard
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.evaluation.cross_validate import (
    N_FOLDS,
    OutOfFold,
    cross_validate,
    element_rows,
    partitions,
)
from core.voltage.evaluation.errors import format_table
from core.voltage.evaluation.evaluate import evaluate
from core.voltage.kinds import voltage_kind
from core.voltage.weights import data_snapshot_note, read_card, write_model

OUT_OF_FOLD_COLUMNS: Final = (
    "partition", "battery_id", "working_ion", "formula", "id_discharge", "host_formula", "voltage_check",
    "voltage_v", "predicted_v", "std_v", "in_domain",
)  # fmt: skip


def train_voltage(
    data_dir: Path,
    *,
    kind: str = "frozen-host",
    name: str | None = None,
    seed: int = 0,
    epochs: int | None = None,
    n_members: int | None = None,
    resume: bool = False,
    models_dir: Path | None = None,
    checkpoints_dir: Path | None = None,
    progress: Report | None = None,
) -> VoltageCard:
    """Cross-validate, calibrate and fit on all rows; write weights, card and out-of-fold table, and return the card.

    `progress(stage, done, total)` tells where it is. Finished folds are kept in the checkpoints folder, so that a
    stopped run goes on; `resume` goes on within a fold too, where the kind can. Raises `SourceError`, `TrainingError`.
    """
    settings = Settings.from_environment()
    models_dir = models_dir or settings.precomputed / "models"
    maker, name = voltage_kind(kind), name or kind
    kept = (checkpoints_dir or settings.checkpoints) / f"{name}-{seed}"
    seeds = tuple(100 * seed + member for member in range(n_members or maker.default_members))
    data = load_labelled(data_dir)
    prepared = maker.prepare(
        data, seeds=seeds, checkpoints=kept, epochs=epochs, resume=resume, progress=progress
    )
    predicted = {
        partition: cross_validate(prepared, folds, partition=partition, kept=kept, progress=progress)
        for partition, folds in partitions(data, seed=seed).items()
    }
    calibration, evaluation = evaluate(data, predicted)
    every_row = np.arange(len(data))
    final = prepared.fit(every_row, stage="final")
    arrays = final.to_arrays() | {
        "domain.vectors": final.outputs_of_rows(every_row).vectors,
        "domain.element_rows": element_rows(data, every_row),
    }
    card = VoltageCard(
        name=name, kind=kind, description=maker.description, seeds=seeds, settings=prepared.settings, sha256="",
        data_sha256=data.data_sha256, n_labelled=len(data), n_refused=len(data.refused), n_unusual=data.n_unusual,
        calibration=calibration, evaluation=evaluation, tested=_tested(prepared), licence=maker.licence,
        versions=package_versions(maker.packages), created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=_command(kind, seed, epochs, n_members), permuted_labels_mae_v=_permuted_error(prepared, seed),
    )  # fmt: skip
    card = write_model(models_dir, arrays, card)
    write_out_of_fold(
        models_dir.parent / "accuracy" / f"{name}.csv", data, predicted, calibration,
        evaluation.limit_std_v,
    )  # fmt: skip
    return card


def evaluate_voltage(data_dir: Path, *, name: str = "default", models_dir: Path | None = None) -> str:
    """Return the error tables of a model's card as text, headed by a warning when the data is another snapshot.

    Raises `ModelError` for an absent or damaged card, `SourceError` for absent data.
    """
    card = read_card(models_dir or Settings.from_environment().precomputed / "models", name)
    note = data_snapshot_note(card, load_labelled(data_dir).data_sha256)
    parts = [f"Warning: {note}"] if note else []
    parts.append(f"Model {card.name} ({card.kind}), {card.n_labelled} labelled electrodes.")
    for partition, rows in card.evaluation.errors.items():
        parts.append(format_table(rows, f"\nTest MAE, split: {partition}"))
        parts.append(f"90 % intervals hold for {card.evaluation.coverage[partition]:.1%} of these rows.")
        by_ion = card.evaluation.coverage_by_ion.get(partition, {})
        if by_ion:
            words = ", ".join(f"{row.working_ion} {by_ion[row.working_ion]:.1%}" for row in rows[:-1])
            parts.append(f"By ion, each group's factor fitted on the other folds: {words}.")
        share, inside, outside = (
            of[partition]
            for of in (
                card.evaluation.share_out_of_domain, card.evaluation.mae_in_domain_v,
                card.evaluation.mae_out_of_domain_v,
            )
        )  # fmt: skip
        parts.append(f"Out of domain {share:.1%}: MAE {_volts(outside)} there, {_volts(inside)} in domain.")
    return "\n".join(parts)


def _volts(error_v: float | None) -> str:
    return "not known" if error_v is None else f"{error_v:.3f} V"


def write_out_of_fold(
    path: Path, data: LabelledData, predicted: Mapping[str, OutOfFold], calibration: Calibration,
    limit_std_v: float,
) -> None:  # fmt: skip
    """Write one row an electrode and partition, for parity plots, calibration and worst cases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(OUT_OF_FOLD_COLUMNS)
    for partition, item in predicted.items():
        std = calibration.std_v(item.held)
        inside = item.known & (std <= limit_std_v)
        for place, row in enumerate(item.rows):
            electrode = data.electrodes[row]
            writer.writerow(
                (
                    partition, electrode.battery_id, electrode.working_ion, electrode.formula_discharge,
                    electrode.id_discharge, electrode.host_formula, electrode.voltage_check,
                    f"{electrode.average_voltage_v:.4f}", f"{item.voltages_v[place]:.4f}", f"{std[place]:.4f}",
                    bool(inside[place]),
                )
            )  # fmt: skip
    write_text(path, text.getvalue())


def _permuted_error(prepared: Prepared, seed: int) -> float:
    """Error after fitting on labels in a random order, first random fold: a leak would push it below guessing."""
    data = prepared.data
    rows = partitions(data, seed=seed)["random"][0]
    train = np.setdiff1d(np.arange(len(data)), rows)
    shuffled = data.voltages_v.copy()
    shuffled[train] = np.random.default_rng([seed, 5]).permutation(data.voltages_v[train])
    fitted = prepared.fit(train, stage="permuted", voltages_v=shuffled, n_members=1)
    return float(np.abs(fitted.outputs_of_rows(rows).voltages_v.mean(axis=1) - data.voltages_v[rows]).mean())


def _tested(prepared: Prepared) -> str:
    if prepared.n_test_folds is None:
        return f"{N_FOLDS}-fold cross-validation"
    return f"{prepared.n_test_folds} of {N_FOLDS} folds"


def _command(kind: str, seed: int, epochs: int | None, n_members: int | None) -> str:
    options = f" --epochs {epochs}" * (epochs is not None) + f" --members {n_members}" * (
        n_members is not None
    )
    return f"python -m core train-voltage --kind {kind} --data ../shared/data --seed {seed}{options}"
