"""What each part of the frozen-host model is worth: parts taken away, and other choices, on inner folds.

    python -m benchmarks.ablation --data ../shared/data

All rows of the first outer random fold are set aside, and none of them is looked at: choices were made here, and the
tables of the model are made on the outer folds. Two inner folds of each partition, one network each. Needs the features
of `train-voltage` in checkpoints/ (it makes them when they are not there, which takes an hour).
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from core.ions import PAPER_IONS
from core.provenance import package_versions
from core.settings import Settings
from core.voltage.dataset import load_labelled
from core.voltage.evaluation.folds import host_folds, random_folds
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.features import BLOCKS, N_FEATURES, metal_energies
from core.voltage.kinds.frozen_host.featurizer import Featurizer
from core.voltage.kinds.frozen_host.head import HeadConfig, train_heads
from core.voltage.kinds.frozen_host.model import default_cache

Floats = NDArray[np.float64]
Fit = Callable[[Floats, Floats, Floats], Floats]
VECTORS = {name for name in BLOCKS if name.startswith(("chgnet_", "sevennet_"))}
BASE = {"ion", "geometry"}


def columns(blocks: set[str]) -> NDArray[np.int64]:
    """Return the places of the named blocks in the feature vector."""
    ends = np.cumsum(list(BLOCKS.values()))
    places = dict(zip(BLOCKS, np.split(np.arange(N_FEATURES), ends[:-1]), strict=True))
    return np.concatenate([places[name] for name in BLOCKS if name in blocks])


def network(config: HeadConfig) -> Fit:
    """Return a fit of one network."""
    return lambda x, y, asked: train_heads(x, y, seeds=(0,), config=config)(asked)[0][:, 0]


def trees(x: Floats, y: Floats, asked: Floats) -> Floats:
    """Fit gradient-boosted trees on the absolute error."""
    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=400,
        learning_rate=0.05,
        max_leaf_nodes=20,
        max_features=0.3,
        random_state=0,
    )
    return model.fit(x, y).predict(asked)


def main() -> None:
    """Print one line a variant: MAE over all rows and over the seven ions, both partitions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    data = load_labelled(parser.parse_args().data)
    featurizer = Featurizer(metal_energies(Backbones.load()), default_cache())
    features, errors = featurizer(data.crystals, data.working_ions)
    if any(errors):
        raise SystemExit(f"a labelled structure has no features: {next(filter(None, errors))}")
    ions, labels = np.array(data.working_ions), data.voltages_v
    suspect = np.array([electrode.voltage_check == "differs" for electrode in data.electrodes])
    inner = np.setdiff1d(np.arange(len(data)), random_folds(data.working_ions)[0])
    hosts = [data.host_formulas[row] for row in inner]
    folds = {
        "random": [inner[rows] for rows in random_folds(list(ions[inner]), n_folds=8, seed=1)[:2]],
        "host": [inner[rows] for rows in host_folds(hosts, list(ions[inner]), n_folds=8, seed=1)[:2]],
    }
    every, plain = set(BLOCKS), network(HeadConfig())
    variants: list[tuple[str, set[str], Fit, bool]] = [
        ("all features, as shipped", every, plain, False),
        ("gradient-boosted trees", every, trees, False),
        ("without atom vectors", every - VECTORS, plain, False),
        ("without relaxation drive and magnetism", every - {"relaxation_drive", "magnetism"}, plain, False),
        ("frozen voltages alone", BASE | {"frozen_voltage"}, plain, False),
        (
            "discharged crystal's vectors alone",
            BASE | {name for name in VECTORS if "change" not in name},
            plain,
            False,
        ),
        ("128 hidden, less decay", every, network(HeadConfig(hidden=128, weight_decay=0.01)), False),
        ("more dropout, longer", every, network(HeadConfig(dropout=0.35, epochs=80)), False),
        ("suspect labels left out of training", every, plain, True),
    ]
    print(package_versions(("torch", "scikit-learn", "nequip", "chgnet")))
    print(
        f"{'variant':<42}{'random':>9}{'seven':>8}{'host':>9}{'seven':>8}{'s':>6}   MAE, V; {len(inner)} rows"
    )
    for name, blocks, fit, clean in variants:
        start, line = time.perf_counter(), f"{name:<42}"
        chosen = columns(blocks)
        for tests in folds.values():
            test = np.concatenate(tests)
            errors = np.concatenate(
                [
                    np.abs(
                        fit(features[train][:, chosen], labels[train], features[rows][:, chosen])
                        - labels[rows]
                    )
                    for rows in tests
                    for train in [np.setdiff1d(inner[~suspect[inner]] if clean else inner, rows)]
                ]
            )
            seven = np.mean([errors[ions[test] == ion].mean() for ion in PAPER_IONS])
            line += f"{errors.mean():>9.3f}{seven:>8.3f}"
        print(f"{line}{time.perf_counter() - start:>6.0f}", flush=True)


if __name__ == "__main__":
    main()
