"""Training of the frozen-host model from cached features: folds kept, weights repeated, out-of-fold table written."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import TrainingError
from core.voltage import VoltageCard, load_voltage_model, recalibrate, train_voltage
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
    monkeypatch.setattr("core.voltage.recalibration.load_labelled", lambda _: labelled())
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


def test_recalibration_keeps_predictions_and_is_stable(data_dir: Path) -> None:
    card = trained(data_dir, "first")
    models, table = data_dir / "first" / "models", data_dir / "first" / "accuracy" / "frozen-host.csv"
    before = read(table)
    again = recalibrate(data_dir, "frozen-host", models_dir=models)
    assert again.sha256 == card.sha256
    assert again.calibration.floor_v == card.calibration.floor_v
    assert again.calibration.factors.keys() == card.calibration.factors.keys()
    for name, factor in card.calibration.factors.items():
        assert again.calibration.factors[name] == pytest.approx(factor, rel=0.01)
    after = read(table)
    assert [row["predicted_v"] for row in after] == [row["predicted_v"] for row in before]
    for new, old in zip(after, before, strict=True):
        assert float(new["std_v"]) == pytest.approx(float(old["std_v"]), rel=0.02)
    assert again.calibration.known_frameworks == card.calibration.known_frameworks
    assert load_voltage_model("frozen-host", models).calibration == again.calibration


def test_a_model_of_other_data_is_not_recalibrated(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(data_dir, "first")
    other = replace(labelled(), data_sha256="1" * 64)
    monkeypatch.setattr("core.voltage.recalibration.load_labelled", lambda _: other)
    with pytest.raises(TrainingError, match="not of the labelled data"):
        recalibrate(data_dir, "frozen-host", models_dir=data_dir / "first" / "models")


def read(table: Path) -> list[dict[str, str]]:
    with table.open() as stream:
        return list(csv.DictReader(stream))
