"""Descriptor families on our task: peers of the voltage network, trained and tested on the network's own folds.

Ten folds at random within each ion, and ten that keep every host formula in one fold (seed 0, `core.voltage.folds`).
Each electrode is predicted once, by a peer trained on the other nine folds. The peers' few settings were tried
on one fold (trained on eight, two folds aside), then left alone.

    python3 -m venv .venv-bench && .venv-bench/bin/pip install -r requirements-bench.txt
    .venv-bench/bin/python -m benchmarks.descriptors --data ../shared/data

An environment of its own, since matminer 0.10 asks for pandas below 3 and the explorer uses pandas 3. Descriptors are
kept in `checkpoints/`; a first run takes some 8 CPU minutes, a later one some 5.

Prints one table a peer and partition and writes `precomputed/accuracy/descriptors.json`:

    {"peers": {NAME: {"description": str,
                      "random": [ROW, ...], "host": [ROW, ...],
                      "n_features": int,
                      "feature_seconds": float,  CPU seconds to compute the descriptors of all rows, once
                      "fit_seconds": float}},    CPU seconds of all twenty fits and predictions
     "n": int, "n_folds": 10, "seed": int, "data_sha256": str,
     "machine": str, "versions": {package: version}, "command": str, "created": str}

NAME is `mean`, `median` (of the ion's training labels) or a key of `benchmarks._peers.regressors.PEERS`. ROW is
`core.voltage.evaluate.ErrorRow.to_dict()`: working_ion, n, mae_v, low_v, high_v (95 % bootstrap), mean_baseline_v,
median_baseline_v, paper_v; one row an ion, then `all`, then `seven-ion mean`.
"""

import argparse
import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._peers.features import Block, load_block
from benchmarks._peers.regressors import PEERS, CrossPrediction, columns, cross_predict
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.evaluate import ErrorRow, error_table, format_table
from core.voltage.folds import Indices, host_folds, random_folds

PACKAGES = ("matminer", "dscribe", "scikit-learn", "pymatgen", "spglib", "numpy", "scipy", "pandas")
BASELINES = {
    "mean": "Mean training label of the row's working ion",
    "median": "Median training label of the row's working ion",
}


def partitions(data: LabelledData, seed: int) -> dict[str, list[Indices]]:
    """The ten folds of each partition, as the voltage models have them."""
    return {
        "random": random_folds(data.working_ions, seed=seed),
        "host": host_folds(data.host_formulas, data.working_ions, seed=seed),
    }


def compare(data: LabelledData, blocks: dict[str, Block], names: Sequence[str], seed: int) -> dict[str, Any]:
    """Cross-predict with each named peer, print its tables, and return the entries of the JSON file."""
    folds_of = partitions(data, seed)
    entries: dict[str, Any] = {}
    for name in names:
        peer = PEERS[name]
        rows = columns({key: block.values for key, block in blocks.items()}, peer.blocks)
        results = {
            partition: cross_predict(rows, data.voltages_v, data.working_ions, folds, peer.make, seed=seed)
            for partition, folds in folds_of.items()
        }
        if not entries:
            entries = {base: _baseline_entry(data, base, results) for base in BASELINES}
        tables = {key: _table(data, result.predicted_v, result) for key, result in results.items()}
        entries[name] = {
            "description": peer.description,
            **{key: [row.to_dict() for row in table] for key, table in tables.items()},
            "n_features": rows.shape[1],
            "feature_seconds": round(sum(blocks[key].seconds for key in peer.blocks), 1),
            "fit_seconds": round(sum(result.seconds for result in results.values()), 1),
        }
        for key, table in tables.items():
            print(format_table(table, f"\n{name}, {key} folds: {peer.description}"), flush=True)
    return entries


def report(data: LabelledData, entries: dict[str, Any], *, seed: int, command: str) -> dict[str, Any]:
    """The whole content of the JSON file."""
    return {
        "peers": entries,
        "n": len(data),
        "n_folds": 10,
        "seed": seed,
        "data_sha256": data.data_sha256,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, one thread used",
        "versions": {"python": platform.python_version(), **package_versions(PACKAGES)},
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def summary(entries: dict[str, Any]) -> str:
    """One line a peer: MAE of all rows and seven-ion mean, both partitions, V."""
    lines = [f"{'peer':<20}{'random all':>12}{'seven':>8}{'host all':>10}{'seven':>8}{'fit/s':>8}"]
    for name, entry in entries.items():
        figures = [
            next((row["mae_v"] for row in entry[key] if row["working_ion"] == which), float("nan"))
            for key in ("random", "host")
            for which in ("all", "seven-ion mean")
        ]
        lines.append(
            f"{name:<20}{figures[0]:>12.3f}{figures[1]:>8.3f}{figures[2]:>10.3f}{figures[3]:>8.3f}"
            f"{entry['fit_seconds']:>8.0f}"
        )
    return "\n".join(lines)


def write(content: dict[str, Any], path: Path) -> None:
    """Write the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _baseline_entry(data: LabelledData, base: str, results: dict[str, CrossPrediction]) -> dict[str, Any]:
    place = list(BASELINES).index(base)
    tables = {key: _table(data, result.baseline_v[place], result) for key, result in results.items()}
    return {
        "description": BASELINES[base],
        **{key: [row.to_dict() for row in table] for key, table in tables.items()},
        "n_features": 1,
        "feature_seconds": 0.0,
        "fit_seconds": 0.0,
    }


def _table(data: LabelledData, predicted_v: np.ndarray, result: CrossPrediction) -> list[ErrorRow]:
    return error_table(data.voltages_v, predicted_v, data.working_ions, result.baseline_v)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    settings = Settings.from_environment()
    parser.add_argument("--data", type=Path, default=settings.data, help="folder of the reference data")
    parser.add_argument(
        "--peers",
        nargs="+",
        choices=list(PEERS),
        default=list(PEERS),
        help="fewer than all: nothing is written",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=settings.precomputed / "accuracy" / "descriptors.json")
    options = parser.parse_args()
    data = load_labelled(options.data)
    needed = dict.fromkeys(block for name in options.peers for block in PEERS[name].blocks)
    command = f"python -m benchmarks.descriptors --data {options.data} --seed {options.seed}"
    with threadpool_limits(1):
        blocks = {
            name: load_block(
                name,
                data.crystals,
                data.working_ions,
                data_sha256=data.data_sha256,
                folder=settings.checkpoints,
            )
            for name in needed
        }
        entries = compare(data, blocks, options.peers, options.seed)
    content = report(data, entries, seed=options.seed, command=command)
    print(f"\n{content['machine']}; {', '.join(f'{k} {v}' for k, v in content['versions'].items())}")
    print(summary(entries))
    if set(options.peers) == set(PEERS):
        write(content, options.output)


if __name__ == "__main__":
    main()
