"""Training of the relaxed-ends model from kept raw ends: card, weights, prediction, and what stops it."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import StructureError, TrainingError
from core.voltage import load_voltage_model, train_voltage
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.features import MetalEnergies, structure_key
from core.voltage.kinds.relaxed_ends import extract as extract_module
from core.voltage.kinds.relaxed_ends import kind as kind_module
from core.voltage.kinds.relaxed_ends.ends import Instruments, RawEnds
from core.voltage.kinds.relaxed_ends.store import FOLDER, EndsStore
from tests.voltage.labelled import labelled

METALS = MetalEnergies(sevennet_ev=np.full(10, -1.5), chgnet_ev=np.full(10, -1.0))
ION_NUMBER = {"Mg": 12, "Ca": 20}


def made_up(ion: str, rng: np.random.Generator) -> RawEnds:
    """Raw ends of a cell of one ion and three host atoms."""
    number = ION_NUMBER[ion]
    raw: RawEnds = {
        "numbers": np.array([number, 27, 8, 8]), "elements": np.array([8, number, 27]),
        "lattices_a": np.stack([np.eye(3) * length for length in (4.0, 4.0, 3.9)]),
        "relaxed_frac": rng.random((3, 3)), "steps": rng.random((4, 5)), "moves_a": rng.random(3),
        "flags": np.array([False, False]), "seven_ev": np.array([-20.0, -15.0, -15.0 - rng.random(), np.nan]),
        "chgnet_ev": np.array([-21.0, -16.0, -16.5]), "chgnet_forces": rng.random(3),
        "chgnet_stress": rng.random((3, 3)),
    }  # fmt: skip
    for state, n in (("discharged", 4), ("frozen", 3), ("relaxed", 3)):
        raw |= {
            f"seven_sites_ev.{state}": rng.random(n), f"chgnet_sites_ev.{state}": rng.random(n),
            f"moments.{state}": rng.random(n), f"forces.{state}": rng.random(n),
            f"stress.{state}": rng.random((3, 3)), f"seven_sums.{state}": rng.random((3, 128)),
            f"chgnet_sums.{state}": rng.random((3, 64)),
        }  # fmt: skip
    return raw


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made data set whose raw ends are in the checkpoints, so that no potential has to run."""
    monkeypatch.setenv("MGC_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("MGC_THREADS", "1")  # what is replaced here is not replaced in other processes
    monkeypatch.setattr("core.voltage.training.load_labelled", lambda _: labelled())
    monkeypatch.setattr(Backbones, "load", lambda: None)
    monkeypatch.setattr(Instruments, "load", lambda: None)
    monkeypatch.setattr(kind_module, "metal_energies", lambda _: METALS)
    store, rng = EndsStore(tmp_path / FOLDER), np.random.default_rng(0)
    for crystal, ion in zip(labelled().crystals, labelled().working_ions, strict=True):
        store.put(structure_key(crystal, ion), made_up(ion, rng))
    store.save()
    return tmp_path


def test_card_weights_and_prediction(data_dir: Path) -> None:
    models = data_dir / "models"
    card = train_voltage(data_dir, kind="relaxed-ends", n_members=1, epochs=2, models_dir=models)
    assert card.kind == "relaxed-ends" and card.calibration.known_frameworks
    assert set(card.evaluation.coverage_by_ion["host"]) == {"Mg", "Ca", "all"}
    model = load_voltage_model("relaxed-ends", models)
    crystals, ions = labelled().crystals[:3], labelled().working_ions[:3]
    rows = model.predict(crystals, ions)
    assert all(row.error is None and row.voltage_low_v < row.voltage_v < row.voltage_high_v for row in rows)
    again = train_voltage(data_dir, kind="relaxed-ends", n_members=1, epochs=2, models_dir=data_dir / "again")
    assert again.sha256 == card.sha256


def test_what_the_potentials_refuse_has_its_reason(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> RawEnds:
        raise StructureError("no host is left.")

    train_voltage(data_dir, kind="relaxed-ends", n_members=1, epochs=2, models_dir=data_dir / "models")
    monkeypatch.setattr(extract_module, "raw_ends", refuses)
    monkeypatch.setenv("MGC_CHECKPOINTS", str(data_dir / "empty"))
    model = load_voltage_model("relaxed-ends", data_dir / "models")
    (row,) = model.predict(labelled().crystals[:1], labelled().working_ions[:1])
    assert row.error == "no host is left."
    with pytest.raises(TrainingError, match="60 labelled structures cannot be described, first"):
        train_voltage(data_dir, kind="relaxed-ends", n_members=1, epochs=2, models_dir=data_dir / "models")
