"""Training of the frozen-host model from cached features: folds kept, weights repeated, out-of-fold table written."""

import csv
from pathlib import Path

import numpy as np
import pytest

from core.errors import TrainingError
from core.voltage import VoltageCard, load_voltage_model, train_voltage
from core.voltage.kinds.frozen_host import kind as kind_module
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.cache import FeatureCache
from core.voltage.kinds.frozen_host.features import N_FEATURES, MetalEnergies, structure_key
from core.voltage.kinds.frozen_host.model import CACHE_FILE
from core.voltage.training import OUT_OF_FOLD_COLUMNS
from tests.voltage.labelled import labelled

METALS = MetalEnergies(sevennet_ev=np.full(10, -1.5), chgnet_ev=np.full(10, -1.0))


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made data set whose features are already in the cache, so that no potential has to run."""
    monkeypatch.setenv("MGC_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr("core.voltage.training.load_labelled", lambda _: labelled())
    monkeypatch.setattr(Backbones, "load", lambda: None)
    monkeypatch.setattr(kind_module, "metal_energies", lambda _: METALS)
    cache, rng = FeatureCache(tmp_path / CACHE_FILE), np.random.default_rng(0)
    for crystal, ion in zip(labelled().crystals, labelled().working_ions, strict=True):
        cache.put(structure_key(crystal, ion), rng.normal(size=N_FEATURES).astype(np.float32))
    cache.save()
    return tmp_path


def trained(data_dir: Path, folder: str) -> VoltageCard:
    return train_voltage(data_dir, n_members=2, epochs=3, models_dir=data_dir / folder / "models")


def test_card_weights_and_table(data_dir: Path) -> None:
    card = trained(data_dir, "first")
    assert set(card.evaluation.errors) == set(card.evaluation.coverage) == {"random", "host"}
    assert card.seeds == (0, 1) and card.settings["epochs"] == 3
    assert load_voltage_model("frozen-host", data_dir / "first" / "models").sha256 == card.sha256
    with (data_dir / "first" / "accuracy" / "frozen-host.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == OUT_OF_FOLD_COLUMNS
    assert len(rows) == 2 * len(labelled())


def test_a_second_run_reads_the_folds_and_makes_the_same_weights(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trained(data_dir, "first")
    calls: list[int] = []
    train_heads = kind_module.train_heads
    monkeypatch.setattr(kind_module, "train_heads", lambda *a, **k: calls.append(1) or train_heads(*a, **k))
    assert trained(data_dir, "second").sha256 == first.sha256
    assert len(calls) == 2  # all rows, and the run on shuffled labels; the twenty folds were kept


def test_a_labelled_structure_without_features_stops_the_training(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        kind_module.Featurizer, "__call__",
        lambda _, crystals, *__, **___: (np.zeros((0, N_FEATURES)), ("no host.",) * len(crystals)),
    )  # fmt: skip
    with pytest.raises(TrainingError, match="cannot be described, first"):
        trained(data_dir, "first")
