"""Ten-fold partitions of the labelled electrodes: at random within each ion, and by host formula.

A host that stands in two parts leaks: the same framework with another ion or another filling has nearly the
same voltage. The random partition, which the paper uses, has that leak; the partition by host has not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Row indices to train on, to stop on, and to test on; no row twice."""

    train: Indices
    validation: Indices
    test: Indices

    def __post_init__(self) -> None:
        rows = np.concatenate([self.train, self.validation, self.test])
        if len(np.unique(rows)) != len(rows):
            raise TrainingError("A row stands in two parts of a split; make the split with `fold_split`.")
        if not len(self.train):
            raise TrainingError(
                "A split without training rows cannot be used; give more data or fewer folds."
            )


def random_folds(working_ions: Sequence[str], *, n_folds: int = 10, seed: int = 0) -> list[Indices]:
    """Return `n_folds` disjoint index arrays; each holds an equal share of every ion (within one row)."""
    # Not by scikit-learn: its splitters deal rows otherwise, and the shipped tables hold for these folds.
    _check(len(working_ions), n_folds)
    rng = np.random.default_rng([seed, 1])
    ions = np.asarray(working_ions)
    rows = np.concatenate([rng.permutation(np.flatnonzero(ions == ion)) for ion in np.unique(ions)])
    return [np.sort(rows[fold::n_folds]) for fold in range(n_folds)]


def host_folds(
    host_formulas: Sequence[str], working_ions: Sequence[str], *, n_folds: int = 10, seed: int = 0
) -> list[Indices]:
    """Return `n_folds` disjoint index arrays; no host stands in two, and sizes and ions are near balanced.

    Hosts are dealt, the largest first and else at random, to the fold that holds the least of their ions.
    """
    _check(len(set(host_formulas)), n_folds)
    rng = np.random.default_rng([seed, 2])
    hosts, host_of_row = np.unique(np.asarray(host_formulas), return_inverse=True)
    ions, ion_of_row = np.unique(np.asarray(working_ions), return_inverse=True)
    counts = np.zeros((len(hosts), len(ions)))
    np.add.at(counts, (host_of_row, ion_of_row), 1.0)
    share = counts.sum(axis=0)
    fold_counts = np.zeros((n_folds, len(ions)))
    fold_of_host = np.zeros(len(hosts), dtype=np.int64)
    order = rng.permutation(len(hosts))
    for host in order[np.argsort(-counts[order].sum(axis=1), kind="stable")]:
        load = (fold_counts / share) @ (counts[host] > 0) + 1e-3 * fold_counts.sum(axis=1) / share.sum()
        fold_of_host[host] = int(np.argmin(load))
        fold_counts[fold_of_host[host]] += counts[host]
    return [np.flatnonzero(fold_of_host[host_of_row] == fold) for fold in range(n_folds)]


def fold_split(folds: Sequence[Indices], test_fold: int = 0) -> Split:
    """Return the split that tests on one fold, stops on the next and trains on the rest (0.8/0.1/0.1 of
    ten)."""
    n_folds = len(folds)
    validation_fold = (test_fold + 1) % n_folds
    rest = [folds[fold] for fold in range(n_folds) if fold not in (test_fold, validation_fold)]
    if not rest:
        raise TrainingError(f"{n_folds} folds leave nothing to train on; use at least 3.")
    return Split(train=np.concatenate(rest), validation=folds[validation_fold], test=folds[test_fold])


def check_hosts_apart(split: Split, host_formulas: Sequence[str]) -> None:
    """Raise `TrainingError` when a host stands in more than one part of a split."""
    hosts = np.asarray(host_formulas)
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    seen: dict[str, str] = {}
    for name, rows in parts.items():
        for host in np.unique(hosts[rows]):
            if host in seen:
                raise TrainingError(
                    f"Host {host} stands in {seen[host]} and in {name}: the error on it would be too small. "
                    "Make the folds with `host_folds`."
                )
            seen[str(host)] = name


def _check(n_units: int, n_folds: int) -> None:
    if n_folds < 3 or n_units < n_folds:
        raise TrainingError(
            f"{n_units} rows or hosts cannot make {n_folds} folds; at least 3 folds, one unit each."
        )
