"""Out-of-fold predictions of every kind in one way: fitted on all folds but one, for each; finished folds are kept."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.artifacts import replacing
from core.graphs import atomic_numbers
from core.voltage.base import Floats, Indices, Outputs, Prepared, Report
from core.voltage.calibrate import Domain, Held
from core.voltage.dataset import LabelledData
from core.voltage.elements import N_ELEMENTS
from core.voltage.evaluation.errors import baselines
from core.voltage.evaluation.folds import check_hosts_apart, fold_split, host_folds, random_folds
from core.voltage.groups import framework

N_FOLDS: Final = 10
PARTITIONS: Final = ("random", "host")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """What is said of rows by models that were not fitted on them, each array (n,) over `rows` of the data.

    `voltages_v` and `spread_v`: mean and standard deviation over the members, V. `distance`: to the training rows.
    `known`: whether all elements were known and the model trusts itself. `baseline_v`: mean and median of the
    training labels of the row's ion. `doubt_v`: the kind's own doubt, V. `frameworks`, `framework_known`: the formulas
    without the ion, and whether they stand among the rows that were fitted on. `fold`: number of each row's fold.
    """

    rows: Indices
    voltages_v: Floats
    spread_v: Floats
    distance: Floats
    doubt_v: Floats
    working_ions: tuple[str, ...]
    frameworks: tuple[str, ...]
    framework_known: NDArray[np.bool_]
    fold: Indices
    known: NDArray[np.bool_]
    baseline_v: tuple[Floats, Floats]

    @property
    def held(self) -> Held:
        """What the calibration asks of the rows."""
        return Held(
            spread_v=self.spread_v, distance=self.distance, working_ions=self.working_ions,
            frameworks=self.frameworks, framework_known=self.framework_known, doubt_v=self.doubt_v,
        )  # fmt: skip


def frameworks_of(data: LabelledData) -> NDArray[np.str_]:
    """Return the formula without the working ion of each row."""
    return np.array(
        [framework(crystal, ion) for crystal, ion in zip(data.crystals, data.working_ions, strict=True)]
    )


def frameworks_known(frameworks: NDArray[np.str_], folds: Sequence[Indices]) -> NDArray[np.bool_]:
    """Return for each row whether its framework stands outside its own fold; rows in no fold have theirs known."""
    known = np.ones(len(frameworks), dtype=np.bool_)
    for rows in folds:
        rest = np.setdiff1d(np.arange(len(frameworks)), rows)
        known[rows] = np.isin(frameworks[rows], frameworks[rest])
    return known


def partitions(data: LabelledData, *, seed: int = 0) -> dict[str, list[Indices]]:
    """Return the ten folds of both partitions: at random within each ion, and by host formula."""
    return {
        "random": random_folds(data.working_ions, n_folds=N_FOLDS, seed=seed),
        "host": host_folds(data.host_formulas, data.working_ions, n_folds=N_FOLDS, seed=seed),
    }


def cross_validate(
    prepared: Prepared, folds: Sequence[Indices], *, partition: str, kept: Path | None = None,
    n_test_folds: int | None = None, progress: Report | None = None,
) -> OutOfFold:  # fmt: skip
    """Return the out-of-fold predictions of the first `n_test_folds` folds (default: what the kind asks for, or all).

    With a folder `kept`, finished folds are written there and read back, so that a stopped run goes on. Raises what the
    kind's `fit` does.
    """
    count = n_test_folds or prepared.n_test_folds or len(folds)
    parts = []
    for number in range(count):
        if progress is not None:
            progress(f"cross-validation, {partition}", number, count)
        path = None if kept is None else kept / f"{partition}-{number}.npz"
        parts.append(_one_fold(prepared, folds, number, partition, path))
    rows = np.concatenate([folds[number] for number in range(count)])
    fold = np.concatenate([np.full(len(folds[number]), number) for number in range(count)])
    order = np.argsort(rows, kind="stable")
    joined = {key: np.concatenate([part[key] for part in parts])[order] for key in parts[0]}
    frameworks = frameworks_of(prepared.data)
    return OutOfFold(
        doubt_v=joined["doubt_v"], working_ions=tuple(prepared.data.working_ions[row] for row in rows[order]),
        frameworks=tuple(frameworks[rows[order]].tolist()),
        framework_known=frameworks_known(frameworks, folds)[rows[order]], fold=fold[order],
        rows=rows[order], voltages_v=joined["voltages_v"], spread_v=joined["spread_v"],
        distance=joined["distance"], known=joined["known"].astype(np.bool_),
        baseline_v=(joined["mean"], joined["median"]),
    )  # fmt: skip


def element_rows(data: LabelledData, rows: Indices) -> Indices:
    """Return (n_elements + 1,) in how many of the rows an element occurs, by atomic number."""
    counts = np.zeros(N_ELEMENTS + 1, dtype=np.int64)
    for row in rows:
        counts[np.unique(atomic_numbers(data.crystals[row].species))] += 1
    return counts


def _one_fold(
    prepared: Prepared, folds: Sequence[Indices], number: int, partition: str, path: Path | None
) -> dict[str, NDArray[Any]]:
    data, test = prepared.data, folds[number]
    train, validation = _rest(prepared, folds, number)
    settings = _fingerprint(prepared, train, validation, test)
    if path is not None and path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["settings"]) == settings:
                fold = {key: stored[key] for key in stored.files if key != "settings"}
                return {"doubt_v": np.zeros(len(test)), **fold}
    if partition == "host":
        check_hosts_apart(fold_split(folds, number), data.host_formulas)
    fitted = prepared.fit(train, stage=f"{partition}-{number}", validation=validation)
    outputs = fitted.outputs_of_rows(test)
    means, medians = baselines(data.voltages_v, data.working_ions, train)
    fold = {
        "voltages_v": outputs.voltages_v.mean(axis=1),
        "spread_v": outputs.voltages_v.std(axis=1),
        "doubt_v": np.zeros(len(test)) if outputs.doubt_v is None else outputs.doubt_v,
        "mean": means[test],
        "median": medians[test],
        **_domain_of(
            prepared, train, test, fitted.outputs_of_rows(train) if prepared.has_domain else None, outputs
        ),
    }
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            np.savez(partial, settings=settings, **fold)
    return fold


def _rest(prepared: Prepared, folds: Sequence[Indices], number: int) -> tuple[Indices, Indices | None]:
    """The rows to fit on, in order, and those to stop on where the kind wants some."""
    if prepared.stops_early:
        split = fold_split(folds, number)
        return split.train, split.validation
    return np.setdiff1d(np.arange(len(prepared.data)), folds[number]), None


def _domain_of(
    prepared: Prepared, train: Indices, test: Indices, trained: Outputs | None, outputs: Outputs
) -> dict[str, NDArray[Any]]:
    if trained is None:
        return {"distance": np.zeros(len(test)), "known": np.ones(len(test), dtype=np.bool_)}
    domain = Domain(trained.vectors, element_rows(prepared.data, train), np.inf)
    known = [
        not domain.unknown_elements(atomic_numbers(prepared.data.crystals[row].species).tolist())
        for row in test
    ]
    return {"distance": domain.distance(outputs.vectors), "known": np.array(known) & outputs.trusted}


def _fingerprint(prepared: Prepared, train: Indices, validation: Indices | None, test: Indices) -> str:
    """Hash over all that decides a fold's predictions: one of another kind, other inputs or other rows is not read."""
    content = [
        prepared.kind, prepared.inputs, prepared.settings, prepared.seeds, prepared.data.data_sha256,
        prepared.data.voltages_v.tolist(), train.tolist(),
        None if validation is None else validation.tolist(), test.tolist(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
