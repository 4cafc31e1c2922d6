"""Cross-validation for every kind: finished folds are read back, and only those of the same kind, inputs and rows."""

from pathlib import Path

import numpy as np
import pytest

from core.voltage.base import Outputs, Prepared
from core.voltage.evaluation.cross_validate import N_FOLDS, cross_validate, partitions
from core.voltage.evaluation.folds import fold_split
from tests.voltage.labelled import labelled


class MeanOfRows(Prepared):
    """Says the mean of its training labels, and counts its fits."""

    has_domain = False

    def __init__(self, *, kind: str = "mean", inputs: str = "one", stops_early: bool = False) -> None:
        self.data, self.seeds, self.settings = labelled(20), (0,), {}
        self.kind, self.inputs, self.stops_early = kind, inputs, stops_early
        self.fits: list[tuple[np.ndarray, np.ndarray | None]] = []

    def fit(self, train, *, stage, validation=None, voltages_v=None, n_members=None):
        self.fits.append((train, validation))
        self.mean_v = float(self.data.voltages_v[train].mean())
        return self

    def outputs_of_rows(self, rows) -> Outputs:
        return Outputs(
            voltages_v=np.full((len(rows), 1), self.mean_v), vectors=np.zeros((len(rows), 0), dtype=np.float32),
            trusted=np.ones(len(rows), dtype=np.bool_),
        )  # fmt: skip

    def to_arrays(self):
        return {}


def validated(prepared: Prepared, kept: Path | None = None, partition: str = "random"):
    return cross_validate(prepared, partitions(prepared.data)[partition], partition=partition, kept=kept)


@pytest.mark.parametrize("partition", ["random", "host"])
def test_every_row_is_predicted_once_without_itself(partition: str) -> None:
    prepared = MeanOfRows()
    predicted = validated(prepared, partition=partition)
    assert predicted.rows.tolist() == list(range(len(prepared.data)))
    labels = prepared.data.voltages_v
    for rows in partitions(prepared.data)[partition]:
        np.testing.assert_allclose(predicted.voltages_v[rows], np.delete(labels, rows).mean())


def test_finished_folds_are_read_back(tmp_path: Path) -> None:
    first, again = MeanOfRows(), MeanOfRows()
    before, after = validated(first, tmp_path), validated(again, tmp_path)
    assert (len(first.fits), len(again.fits)) == (N_FOLDS, 0)
    np.testing.assert_array_equal(before.voltages_v, after.voltages_v)


@pytest.mark.parametrize("change", [{"kind": "median"}, {"inputs": "two"}, {"stops_early": True}], ids=str)
def test_a_fold_of_another_kind_inputs_or_training_rows_is_fitted_anew(tmp_path: Path, change: dict) -> None:
    validated(MeanOfRows(), tmp_path)
    other = MeanOfRows(**change)
    validated(other, tmp_path)
    assert len(other.fits) == N_FOLDS


def test_a_kind_that_stops_early_watches_the_next_fold() -> None:
    prepared = MeanOfRows(stops_early=True)
    validated(prepared)
    folds = partitions(prepared.data)["random"]
    for number, (train, validation) in enumerate(prepared.fits):
        split = fold_split(folds, number)
        assert train.tolist() == split.train.tolist() and validation.tolist() == split.validation.tolist()
