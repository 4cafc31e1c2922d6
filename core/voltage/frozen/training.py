"""How the shipped frozen-host model is made and judged: ten folds at random, ten by host, then all rows.

Every labelled electrode is predicted twice by heads that never saw it: once in the random partition, once in that by
host. These out-of-fold predictions give the error tables, the calibration of the intervals and the domain's limit.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from core.graphs import atomic_numbers
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.calibrate import Calibration, Domain
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.elements import N_ELEMENTS
from core.voltage.evaluate import baselines
from core.voltage.folds import Indices, Split, check_hosts_apart, host_folds, random_folds
from core.voltage.frozen.cache import Describer
from core.voltage.frozen.features import Probes, metal_energies
from core.voltage.frozen.head import HeadConfig, HeadEnsemble, train_heads
from core.voltage.frozen.model import KIND, FrozenHostEnsemble, default_cache
from core.voltage.judge import HeldOut, judge
from core.voltage.weights import write_model

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
N_FOLDS: Final = 10
OUT_OF_FOLD_COLUMNS: Final = (
    "partition", "battery_id", "working_ion", "formula", "id_discharge", "host_formula", "voltage_check",
    "voltage_v", "predicted_v", "std_v", "in_domain",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """The data as features, and how to train on them."""

    data: LabelledData
    features: NDArray[np.float32]
    elements: list[list[int]]
    seeds: tuple[int, ...]
    config: HeadConfig
    checkpoints: Path
    progress: Progress

    def domain(self, heads: HeadEnsemble, rows: Indices, limit_std_v: float = np.inf) -> Domain:
        """Return the domain of the given training rows."""
        counts = np.zeros(N_ELEMENTS + 1, dtype=np.int64)
        for row in rows:
            counts[self.elements[row]] += 1
        return Domain(heads(self.features[rows])[1], counts, limit_std_v)


def train_frozen_host(
    data_dir: Path,
    *,
    name: str = "frozen-host",
    seed: int = 0,
    n_members: int = 5,
    config: HeadConfig | None = None,
    models_dir: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Describe, cross-validate, calibrate and train on all rows; write weights, card and out-of-fold table.

    Features and finished folds are kept in the checkpoints folder, so a stopped run goes on where it was. Returns the
    card. Raises `SourceError`, `TrainingError`.
    """
    settings = Settings.from_environment()
    models_dir = models_dir or settings.precomputed / "models"
    progress = progress or (lambda stage, done, total: None)
    describer = Describer(metal_energies(Probes.load()), default_cache())
    data = load_labelled(data_dir)
    features = _described(data, describer, progress)
    bench = _Bench(
        data=data, features=features, seeds=tuple(100 * seed + member for member in range(n_members)),
        elements=[sorted(set(atomic_numbers(crystal.species).tolist())) for crystal in data.crystals],
        config=config or HeadConfig(), checkpoints=settings.checkpoints / f"{name}-{seed}", progress=progress,
    )  # fmt: skip
    found = {name: cross_validate(bench, name, folds) for name, folds in partitions(data, seed=seed).items()}
    calibration, judged = judge(data, found)
    every_row = np.arange(len(data))
    progress("all rows", 0, 1)
    heads = train_heads(features, data.voltages_v, seeds=bench.seeds, config=bench.config)
    domain = bench.domain(heads, every_row)
    arrays = FrozenHostEnsemble(describer, heads).to_arrays() | {
        "domain.vectors": domain.vectors, "domain.element_rows": domain.element_rows,
    }  # fmt: skip
    card = _card(bench, seed) | judged | {"calibration": calibration.to_dict()}
    card |= {"permuted_labels_mae_v": _permuted_error(bench, seed)}
    written = write_model(models_dir, name, arrays, card)
    write_out_of_fold(
        models_dir.parent / "accuracy" / f"{name}.csv", data, found, calibration, judged["limit_std_v"]
    )
    return written


def partitions(data: LabelledData, *, seed: int = 0) -> dict[str, list[Indices]]:
    """Return the ten folds of both partitions."""
    return {
        "random": random_folds(data.working_ions, n_folds=N_FOLDS, seed=seed),
        "host": host_folds(data.host_formulas, data.working_ions, n_folds=N_FOLDS, seed=seed),
    }


def _described(data: LabelledData, describer: Describer, progress: Progress) -> NDArray[np.float32]:
    """The features of the data; a structure that the potentials refuse stops the training, since none should."""
    rows = describer(
        data.crystals, data.working_ions, progress=lambda done: progress("describe", done, len(data))
    )
    describer.cache.save()
    refused = [
        f"{crystal.id}: {row}"
        for crystal, row in zip(data.crystals, rows, strict=True)
        if isinstance(row, str)
    ]
    if refused:
        raise TrainingError(
            f"{len(refused)} labelled structures cannot be described, first {refused[0]} Remove them from the data."
        )
    return np.stack([row for row in rows if not isinstance(row, str)])


def cross_validate(bench: _Bench, partition: str, folds: Sequence[Indices]) -> HeldOut:
    """Train on all folds but one, for each; finished folds are read back."""
    n = len(bench.data)
    parts = {key: np.zeros(n) for key in ("voltages_v", "spread_v", "distance", "known", "mean", "median")}
    for number, rows in enumerate(folds):
        bench.progress(f"cross-validation, {partition}", number, len(folds))
        fold = _one_fold(bench, partition, number, rows)
        for key, values in fold.items():
            parts[key][rows] = values
    return HeldOut(
        rows=np.arange(n),
        voltages_v=parts["voltages_v"], spread_v=parts["spread_v"], distance=parts["distance"],
        known=parts["known"].astype(bool), baseline_v=(parts["mean"], parts["median"]),
    )  # fmt: skip


def _one_fold(bench: _Bench, partition: str, number: int, rows: Indices) -> dict[str, NDArray[Any]]:
    path = bench.checkpoints / f"{partition}-{number}.npz"
    settings = f"{bench.data.data_sha256} {bench.seeds} {bench.config}"
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["settings"]) == settings:
                return {key: stored[key] for key in stored.files if key != "settings"}
    train = np.setdiff1d(np.arange(len(bench.data)), rows)
    if partition == "host":
        split = Split(train=train, validation=np.array([], dtype=np.int64), test=rows)
        check_hosts_apart(split, bench.data.host_formulas)
    heads = train_heads(
        bench.features[train], bench.data.voltages_v[train], seeds=bench.seeds, config=bench.config
    )
    domain = bench.domain(heads, train)
    voltages, vectors = heads(bench.features[rows])
    means, medians = baselines(bench.data.voltages_v, bench.data.working_ions, train)
    fold = {
        "voltages_v": voltages.mean(axis=1),
        "spread_v": voltages.std(axis=1),
        "distance": domain.distance(vectors),
        "known": np.array([not domain.unknown_elements(bench.elements[row]) for row in rows]),
        "mean": means[rows],
        "median": medians[rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, settings=settings, **fold)
    partial.replace(path)
    return fold


def _permuted_error(bench: _Bench, seed: int) -> float:
    """Error of heads trained on labels in a random order, first random fold: what leaks would push below baseline."""
    rows = random_folds(bench.data.working_ions, n_folds=N_FOLDS, seed=seed)[0]
    train = np.setdiff1d(np.arange(len(bench.data)), rows)
    shuffled = np.random.default_rng([seed, 5]).permutation(bench.data.voltages_v[train])
    heads = train_heads(bench.features[train], shuffled, seeds=bench.seeds[:1], config=bench.config)
    voltages, _ = heads(bench.features[rows])
    return float(np.abs(voltages.mean(axis=1) - bench.data.voltages_v[rows]).mean())


def _card(bench: _Bench, seed: int) -> dict[str, Any]:
    return {
        "kind": KIND,
        "description": "SevenNet-0 and CHGNet on the discharged crystal and its frozen host; an ensemble of small "
        "networks learns the relaxation",
        "data_sha256": bench.data.data_sha256,
        "n_labelled": len(bench.data),
        "n_refused": len(bench.data.refused),
        "n_unusual_kept": bench.data.n_unusual,
        "seed": seed,
        "n_members": len(bench.seeds),
        "config": asdict(bench.config),
        "evaluation": f"{N_FOLDS}-fold cross-validation",
        "versions": package_versions(("torch", "nequip", "e3nn", "chgnet", "numpy")),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python -m core train-voltage --data ../shared/data --seed {seed}",
    }


def write_out_of_fold(
    path: Path, data: LabelledData, found: dict[str, HeldOut], calibration: Calibration, limit_std_v: float
) -> None:
    """Write one row an electrode and partition, for parity plots, calibration and worst cases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(OUT_OF_FOLD_COLUMNS)
        for partition, item in found.items():
            std = calibration.std_v(item.spread_v, item.distance)
            inside = item.known & (std <= limit_std_v)
            for row, electrode in enumerate(data.electrodes):
                writer.writerow(
                    (
                        partition, electrode.battery_id, electrode.working_ion, electrode.formula_discharge,
                        electrode.id_discharge, electrode.host_formula, electrode.voltage_check,
                        f"{electrode.average_voltage_v:.4f}", f"{item.voltages_v[row]:.4f}", f"{std[row]:.4f}",
                        bool(inside[row]),
                    )
                )  # fmt: skip
