"""Descriptor families on our task: baselines beside the voltage networks, on the networks' own folds.

Ten folds at random within each ion, and ten that keep every host formula in one fold (seed 0).
Each electrode is predicted once, by a baseline trained on the other nine folds. Their few settings were tried
on one fold (trained on eight, two folds aside), then left alone.

    python3 -m venv .venv-bench && .venv-bench/bin/pip install -r requirements-bench.txt
    .venv-bench/bin/python -m benchmarks.descriptors --data ../shared/data

An environment of its own, since matminer 0.10 asks for pandas below 3 and the explorer uses pandas 3. Descriptors are
kept in `checkpoints/`; a first run takes some 8 CPU minutes, a later one some 5.

Prints one table a baseline and partition and writes `precomputed/accuracy/descriptors.json`:

    {"peers": {NAME: {"description": str,
                      "random": [ROW, ...], "host": [ROW, ...],
                      "n_features": int,
                      "feature_seconds": float,  CPU seconds to compute the descriptors of all rows, once
                      "fit_seconds": float}},    CPU seconds of all twenty fits and predictions
     "n": int, "n_folds": 10, "seed": int, "data_sha256": str,
     "machine": str, "versions": {package: version}, "command": str, "created": str}

NAME is `mean`, `median` (of the ion's training labels) or one of `core.voltage.kinds.tabular.KINDS`. ROW is
`core.voltage.evaluation.errors.ErrorRow`: working_ion, n, mae_v, low_v, high_v (95 % bootstrap), mean_baseline_v,
median_baseline_v, paper_v; one row an ion, then `all`, then `seven-ion mean`.
"""

import argparse
import os
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from core.artifacts import write_json
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.evaluation.cross_validate import OutOfFold, cross_validate, partitions
from core.voltage.evaluation.errors import error_table, format_table
from core.voltage.evaluation.evaluate import table_of
from core.voltage.kinds.tabular import KINDS

PACKAGES = ("matminer", "dscribe", "scikit-learn", "pymatgen", "spglib", "numpy", "scipy", "pandas")
GUESSES = {
    "mean": "Mean training label of the row's working ion",
    "median": "Median training label of the row's working ion",
}


def compare(data: LabelledData, names: Sequence[str], seed: int, checkpoints: Path) -> dict[str, Any]:
    """Cross-validate each named baseline, print its tables, and return the entries of the JSON file."""
    entries: dict[str, Any] = {}
    for name in names:
        kind = KINDS[name]
        prepared = kind.prepare(data, seeds=(seed,), checkpoints=checkpoints / name)
        start = time.process_time()
        results = {
            partition: cross_validate(prepared, folds, partition=partition)
            for partition, folds in partitions(data, seed=seed).items()
        }
        seconds = time.process_time() - start
        if not entries:
            entries = {base: _guess_entry(data, base, results) for base in GUESSES}
        tables = {key: table_of(data, result) for key, result in results.items()}
        entries[name] = {
            "description": kind.description,
            **{key: [row.to_dict() for row in table] for key, table in tables.items()},
            "n_features": prepared.rows.shape[1],
            "feature_seconds": round(prepared.feature_seconds, 1),
            "fit_seconds": round(seconds, 1),
        }
        for key, table in tables.items():
            print(format_table(table, f"\n{name}, {key} folds: {kind.description}"), flush=True)
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
    """One line a baseline: MAE of all rows and seven-ion mean, both partitions, V."""
    lines = [f"{'baseline':<20}{'random all':>12}{'seven':>8}{'host all':>10}{'seven':>8}{'fit/s':>8}"]
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


def _guess_entry(data: LabelledData, base: str, results: dict[str, OutOfFold]) -> dict[str, Any]:
    place = list(GUESSES).index(base)
    tables = {
        key: error_table(data.voltages_v, result.baseline_v[place], data.working_ions, result.baseline_v)
        for key, result in results.items()
    }
    return {
        "description": GUESSES[base],
        **{key: [row.to_dict() for row in table] for key, table in tables.items()},
        "n_features": 1,
        "feature_seconds": 0.0,
        "fit_seconds": 0.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    settings = Settings.from_environment()
    parser.add_argument("--data", type=Path, default=settings.data, help="folder of the reference data")
    parser.add_argument(
        "--baselines",
        nargs="+",
        choices=list(KINDS),
        default=list(KINDS),
        help="fewer than all: nothing is written",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=settings.precomputed / "accuracy" / "descriptors.json")
    options = parser.parse_args()
    data = load_labelled(options.data)
    command = f"python -m benchmarks.descriptors --data {options.data} --seed {options.seed}"
    with threadpool_limits(1):
        entries = compare(data, options.baselines, options.seed, settings.checkpoints)
    content = report(data, entries, seed=options.seed, command=command)
    print(f"\n{content['machine']}; {', '.join(f'{k} {v}' for k, v in content['versions'].items())}")
    print(summary(entries))
    if set(options.baselines) == set(KINDS):
        options.output.parent.mkdir(parents=True, exist_ok=True)
        write_json(options.output, content)


if __name__ == "__main__":
    main()
