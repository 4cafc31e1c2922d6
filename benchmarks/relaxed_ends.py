"""What relaxing the host brings the voltage model, on the labelled rows whose raw ends are there so far.

    python -m benchmarks.relaxed_ends --data ../shared/data [--members 5] [--parts]

The rows are those of checkpoints/relaxed-ends/ (`train-voltage --kind relaxed-ends` makes them, magnesium first, then
the others at random). Ten folds of these rows, at random and by host, each model fitted on nine:

- `relaxed voltage`: SevenNet-0's relaxed voltage and a constant, the median remainder of the training rows;
- `frozen host`: the head of `frozen-host` on its own features, fitted on the same rows;
- `relaxed ends`: the kind as it ships; with `--parts` its networks and its forests alone too;
- `frozen host, all rows`: the shipped model's out-of-fold table, which was fitted on nine tenths of all 3,504 rows.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.settings import ROOT, Settings
from core.voltage.calibrate import coverage, fit_calibration
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.evaluation.cross_validate import cross_validate, partitions
from core.voltage.evaluation.errors import SEVEN, error_table
from core.voltage.kinds.frozen_host.features import N_FEATURES as N_FROZEN
from core.voltage.kinds.frozen_host.features import MetalEnergies, structure_key
from core.voltage.kinds.frozen_host.head import HeadConfig, train_heads
from core.voltage.kinds.relaxed_ends.features import features
from core.voltage.kinds.relaxed_ends.head import relaxed_voltages, train_remainder
from core.voltage.kinds.relaxed_ends.kind import PreparedRelaxedEnds
from core.voltage.kinds.relaxed_ends.store import default_store
from core.voltage.weights import read_arrays, read_card

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def rows_there(data: LabelledData, metals: MetalEnergies) -> tuple[Rows, NDArray[np.float32]]:
    """Return the labelled rows whose raw ends are in the checkpoints, and their features."""
    store = default_store()
    store.refresh()
    found = {}
    for row, (crystal, ion) in enumerate(zip(data.crystals, data.working_ions, strict=True)):
        raw = store.get(structure_key(crystal, ion))
        if raw is not None:
            found[row] = features(raw, ion, metals)
    return np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.float32)


def some_rows(data: LabelledData, rows: Rows) -> LabelledData:
    """Return some rows of the data."""
    return LabelledData(
        electrodes=tuple(data.electrodes[row] for row in rows), crystals=tuple(data.crystals[row] for row in rows),
        data_sha256=data.data_sha256,
    )  # fmt: skip


def shipped(table: Path, partition: str, data: LabelledData) -> Floats:
    """Return the out-of-fold voltages of the shipped frozen-host model for the rows of `data`."""
    with table.open(encoding="utf-8", newline="") as stream:
        found = {
            line["battery_id"]: float(line["predicted_v"])
            for line in csv.DictReader(stream)
            if line["partition"] == partition
        }
    return np.array([found[electrode.battery_id] for electrode in data.electrodes])


def out_of_fold(folds: list[Rows], n: int, predict: Callable[[Rows, Rows], Floats]) -> Floats:
    """Return (n,) predictions, each of a fit without its fold."""
    predicted_v = np.zeros(n)
    for test in folds:
        predicted_v[test] = predict(np.setdiff1d(np.arange(n), test), test)
    return predicted_v


def line(name: str, data: LabelledData, predicted_v: Floats) -> str:
    """Return the errors of one model: all rows, Mg, the seven ions, the median."""
    zero = np.zeros(len(data))
    rows = {
        row.working_ion: row
        for row in error_table(data.voltages_v, predicted_v, data.working_ions, (zero, zero))
    }
    parts = [
        f"{rows[ion].mae_v:.3f} ({rows[ion].low_v:.3f} to {rows[ion].high_v:.3f}; {rows[ion].n})"
        for ion in ("all", "Mg", SEVEN)
        if ion in rows
    ]
    median = float(np.median(np.abs(predicted_v - data.voltages_v)))
    others = ", ".join(
        f"{ion} {row.mae_v:.3f} ({row.n})"
        for ion, row in rows.items()
        if ion not in ("all", "Mg", SEVEN) and row.n >= 10
    )
    return f"{name:<24}" + "  ".join(parts) + f"  median {median:.3f}  {others}"


def main() -> None:
    """Print one line a model and partition."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--parts", action="store_true", help="networks and forests alone too")
    arguments = parser.parse_args()
    models, seeds, config = ROOT / "precomputed" / "models", tuple(range(arguments.members)), HeadConfig()
    arrays = read_arrays(models, read_card(models, "frozen-host"))
    metals = MetalEnergies(sevennet_ev=arrays["metal.sevennet"], chgnet_ev=arrays["metal.chgnet"])
    rows, table = rows_there(whole := load_labelled(arguments.data), metals)
    data = some_rows(whole, rows)
    labels, n = data.voltages_v, len(rows)
    relaxed_v = relaxed_voltages(table)[:, 0]
    print(f"{n} of {len(whole)} rows. MAE in V (95 %; n): all, Mg, seven-ion mean", flush=True)

    def constant(train: Rows, test: Rows) -> Floats:
        return relaxed_v[test] + np.median(labels[train] - relaxed_v[train])

    def frozen(train: Rows, test: Rows) -> Floats:
        heads = train_heads(table[train, :N_FROZEN], labels[train], seeds=seeds, config=config)
        return heads(table[test, :N_FROZEN])[0].mean(axis=1)

    def member_means(train: Rows, test: Rows) -> Floats:
        voltages_v = train_remainder(table[train], labels[train], seeds=seeds, config=config)(
            table[test]
        ).voltages_v
        return np.stack(
            [voltages_v[:, : len(seeds)].mean(axis=1), voltages_v[:, len(seeds) :].mean(axis=1)], axis=1
        )

    for partition, folds in partitions(data).items():
        print(partition)
        print(line("relaxed voltage", data, out_of_fold(folds, n, constant)), flush=True)
        print(line("frozen host", data, out_of_fold(folds, n, frozen)), flush=True)
        prepared = PreparedRelaxedEnds(data, metals, table, seeds, config)
        found = cross_validate(prepared, folds, partition=partition)
        print(line("relaxed ends", data, found.voltages_v), flush=True)
        if arguments.parts:
            both = np.zeros((n, 2))
            for test in folds:
                both[test] = member_means(np.setdiff1d(np.arange(n), test), test)
            print(line("  its networks", data, both[:, 0]))
            print(line("  its forests", data, both[:, 1]), flush=True)
        path = models.parent / "accuracy" / "frozen-host.csv"
        print(line("frozen host, all rows", data, shipped(path, partition, data)))
        errors_v = found.voltages_v - labels
        calibration = fit_calibration(errors_v, found.held)
        print(
            f"intervals: {coverage(errors_v, calibration.std_v(found.held)):.1%} inside; weights of spread "
            f"{calibration.spread_weight:.2f}, distance {calibration.distance_weight:.3f}, doubt "
            f"{calibration.doubt_weight:.2f}, floor {calibration.floor_v:.3f} V",
            flush=True,
        )


if __name__ == "__main__":
    main()
