"""The frozen-host model: its formula, its invariances, and that no label can reach it."""

from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ModelError, StructureError, TrainingError
from core.ions import WORKING_IONS
from core.records import Crystal
from core.voltage import load_voltage_model
from core.voltage.kinds.frozen_host import cache as cache_module
from core.voltage.kinds.frozen_host.backbones import (
    CHGNET_VECTOR,
    SEVENNET_VECTOR,
    ChgnetBackbone,
    ChgnetState,
    SevenNetState,
)
from core.voltage.kinds.frozen_host.cache import FeatureCache
from core.voltage.kinds.frozen_host.features import (
    BLOCKS,
    N_FEATURES,
    MetalEnergies,
    assemble,
    frozen_host,
    structure_key,
)
from core.voltage.kinds.frozen_host.featurizer import Featurizer
from core.voltage.kinds.frozen_host.head import HeadConfig, HeadEnsemble, train_heads
from core.voltage.predict import VoltageModel

FEW = settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
METALS = MetalEnergies(
    sevennet_ev=np.full(len(WORKING_IONS), -1.5), chgnet_ev=np.full(len(WORKING_IONS), -1.0)
)


@pytest.fixture(scope="module")
def crystal() -> Crystal:
    """Layered MgCoO2 in the LiCoO2 structure, four atoms, nudged off its symmetry so that no two sites are alike."""
    lattice = np.array([[2.9, 0.0, 0.1], [-1.45, 2.51, 0.0], [1.45, 0.84, 4.75]])
    frac = np.array([[0.01, 0.0, 0.5], [0.0, 0.02, 0.0], [0.26, 0.25, 0.24], [0.74, 0.75, 0.77]])
    return Crystal(
        id="layered",
        formula="MgCoO2",
        lattice_a=lattice,
        species=("Mg", "Co", "O", "O"),
        frac=frac,
        source="test",
    )


@pytest.fixture(scope="module")
def model() -> VoltageModel:
    return load_voltage_model("frozen-host")


@pytest.fixture(scope="module")
def voltage_v(model: VoltageModel, crystal: Crystal) -> float:
    return predicted(model, crystal)


def predicted(model: VoltageModel, crystal: Crystal) -> float:
    """A prediction of the potentials themselves, past the cache."""
    model.network.featurizer.cache = FeatureCache()  # type: ignore[attr-defined]
    (row,) = model.predict([crystal], ["Mg"])
    assert row.error is None
    assert row.voltage_v is not None
    return row.voltage_v


def states(n_whole: int, n_host: int, whole_ev: float, host_ev: float) -> dict[str, tuple[object, object]]:
    """States with the given energies and nothing else."""

    def seven(n: int, energy: float) -> SevenNetState:
        return SevenNetState(
            energy_ev=energy, site_energies_ev=np.zeros(n), vectors=np.zeros((n, SEVENNET_VECTOR))
        )

    def chg(n: int, energy: float) -> ChgnetState:
        return ChgnetState(
            energy_ev=energy, magmoms=np.ones(n), vectors=np.zeros((n, CHGNET_VECTOR)),
            site_energies_ev=np.zeros(n), forces_ev_per_a=np.zeros((n, 3)), stress_gpa=np.zeros((3, 3)),
        )  # fmt: skip

    return {
        "sevennet": (seven(n_whole, whole_ev), seven(n_host, host_ev)),
        "chgnet": (chg(n_whole, whole_ev), chg(n_host, host_ev)),
    }


def test_frozen_voltage_by_hand(crystal: Crystal) -> None:
    # One Mg2+: [E(host) + E(Mg) - E(discharged)] / 2 = [-16 - 1.5 + 23.5] / 2 = 3 V; with -1.0 for the metal 3.25 V.
    vector = assemble(crystal, "Mg", metals=METALS, **states(4, 3, -23.5, -16.0))  # type: ignore[arg-type]
    start = BLOCKS["ion"] + BLOCKS["geometry"]
    assert vector.shape == (N_FEATURES,)
    np.testing.assert_allclose(vector[start : start + 2], [3.0, 3.25])


def test_host_probed_without_forces_is_refused(crystal: Crystal) -> None:
    found = states(4, 3, -23.5, -16.0)
    found["chgnet"] = (found["chgnet"][0], replace(found["chgnet"][1], forces_ev_per_a=None))  # type: ignore[type-var]
    with pytest.raises(StructureError, match="without forces"):
        assemble(crystal, "Mg", metals=METALS, **found)  # type: ignore[arg-type]


def test_metal_alone_has_no_host(crystal: Crystal) -> None:
    metal = replace(crystal, formula="Mg", species=("Mg",) * 4)
    with pytest.raises(StructureError, match="no host is left"):
        frozen_host(metal, "Mg")


def test_metal_alone_keeps_its_row(model: VoltageModel, crystal: Crystal) -> None:
    rows = model.predict([replace(crystal, formula="Mg", species=("Mg",) * 4)], ["Mg"])
    assert rows[0].error is not None
    assert "no host is left" in rows[0].error


def test_nothing_but_geometry_reaches_the_features(crystal: Crystal) -> None:
    other = replace(crystal, id="x", formula="Zz9", source="y", e_above_hull_ev_per_atom=1.0, spacegroup="P1")
    assert structure_key(crystal, "Mg") == structure_key(other, "Mg")
    assert structure_key(crystal, "Mg") != structure_key(crystal, "Co")


@FEW
@given(seed=st.integers(0, 10**6))
def test_rotation(model: VoltageModel, crystal: Crystal, voltage_v: float, seed: int) -> None:
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    turned = replace(crystal, lattice_a=crystal.lattice_a @ rotation)
    assert predicted(model, turned) == pytest.approx(voltage_v, abs=1e-5)


@FEW
@given(seed=st.integers(0, 10**6))
def test_shift_and_order(model: VoltageModel, crystal: Crystal, voltage_v: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(crystal.n_sites)
    moved = replace(
        crystal,
        species=tuple(crystal.species[site] for site in order),
        frac=crystal.frac[order] + rng.random(3),
    )
    assert predicted(model, moved) == pytest.approx(voltage_v, abs=1e-5)


@FEW
@given(axis=st.integers(0, 2), times=st.integers(2, 3))
def test_supercell(model: VoltageModel, crystal: Crystal, voltage_v: float, axis: int, times: int) -> None:
    scale = np.ones(3)
    scale[axis] = times
    shifts = np.zeros((times, 1, 3))
    shifts[:, 0, axis] = np.arange(times)
    larger = replace(
        crystal,
        lattice_a=crystal.lattice_a * scale[:, None],
        species=crystal.species * times,
        frac=((crystal.frac + shifts) / scale).reshape(-1, 3),
    )
    assert predicted(model, larger) == pytest.approx(voltage_v, abs=1e-5)


def test_torch_default_type_is_put_back(model: VoltageModel, crystal: Crystal) -> None:
    before = torch.get_default_dtype()
    predicted(model, crystal)
    assert torch.get_default_dtype() == before


def test_any_of_the_ten_ions(model: VoltageModel, crystal: Crystal) -> None:
    crystals = [
        replace(crystal, formula=f"{ion}CoO2", species=(ion, *crystal.species[1:])) for ion in WORKING_IONS
    ]
    rows = model.predict(crystals, list(WORKING_IONS))
    assert all(row.error is None and row.voltage_low_v < row.voltage_v < row.voltage_high_v for row in rows)  # type: ignore[operator]


def test_cache_keeps_vectors_of_this_version_only(tmp_path, crystal: Crystal) -> None:
    path = tmp_path / "features.npz"
    cache = FeatureCache(path)
    key, vector = structure_key(crystal, "Mg"), np.arange(N_FEATURES, dtype=np.float32)
    cache.put(key, vector)
    cache.save()
    np.testing.assert_array_equal(FeatureCache(path).get(key), vector)
    featurizer = Featurizer(METALS, FeatureCache(path))
    features, errors = featurizer([crystal], ["Mg"])  # no potential is run
    np.testing.assert_array_equal(features[0], vector)
    assert errors == (None,)
    np.savez(path, made_by="sevenn 0.0", keys=np.array([key]), features=vector[None])
    assert len(FeatureCache(path)) == 0


def test_vectors_of_another_feature_version_are_never_served(
    tmp_path, crystal: Crystal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were before: the file was keyed by the potentials alone."""
    path = tmp_path / "features.npz"
    cache = FeatureCache(path)
    cache.put(structure_key(crystal, "Mg"), np.zeros(N_FEATURES, dtype=np.float32))
    cache.save()
    assert len(FeatureCache(path)) == 1
    monkeypatch.setattr(cache_module, "FEATURES_VERSION", cache_module.FEATURES_VERSION + 1)
    assert len(FeatureCache(path)) == 0


@pytest.mark.parametrize("mistake", [TypeError, AttributeError])
def test_a_mistake_of_ours_is_no_fault_of_the_structure(
    crystal: Crystal, monkeypatch: pytest.MonkeyPatch, mistake: type[Exception]
) -> None:
    """It became "cannot describe this structure" before."""

    def broken(*_: object) -> None:
        raise mistake("ours")

    monkeypatch.setattr(ChgnetBackbone, "_predict", broken)
    backbone = ChgnetBackbone()
    with pytest.raises(mistake, match="ours"):
        backbone(crystal, forces=False)
    monkeypatch.setattr(ChgnetBackbone, "_predict", lambda *_: [][1])
    with pytest.raises(StructureError, match="cannot describe this structure"):
        backbone(crystal, forces=False)


def test_a_killed_worker_is_told_and_replaced(monkeypatch: pytest.MonkeyPatch, crystal: Crystal) -> None:
    class Broken:
        def map(self, *_: object, **__: object) -> None:
            raise BrokenProcessPool

    monkeypatch.setenv("MGC_THREADS", "2")
    featurizer = Featurizer(METALS)
    featurizer._workers._pool = Broken()  # type: ignore[assignment]
    crystals = [replace(crystal, lattice_a=crystal.lattice_a * (1 + 0.001 * step)) for step in range(30)]
    with pytest.raises(ModelError, match="MGC_THREADS=1"):
        featurizer(crystals, ["Mg"] * len(crystals))
    assert featurizer._workers._pool is None


def small_heads(seed: int) -> HeadEnsemble:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 6))
    config = HeadConfig(hidden=16, epochs=100, learning_rate=1e-2)
    return train_heads(features, features[:, 0] + 3.0, seeds=(seed, seed + 1), config=config)


def test_heads_repeat_with_their_seed_and_survive_a_file() -> None:
    first, again, other = small_heads(1), small_heads(1), small_heads(5)
    asked = np.random.default_rng(1).normal(size=(50, 6))
    np.testing.assert_array_equal(first(asked)[0], again(asked)[0])
    assert not np.array_equal(first(asked)[0], other(asked)[0])
    read = HeadEnsemble.from_arrays(first.to_arrays(), n_members=2, config=HeadConfig(hidden=16))
    np.testing.assert_array_equal(first(asked)[0], read(asked)[0])
    assert np.abs(first(asked)[0].mean(axis=1) - asked[:, 0] - 3.0).mean() < 0.3


@pytest.mark.parametrize(
    ("features", "voltages", "message"),
    [
        (np.zeros((3, 2)), np.zeros(2), "must agree"),
        (np.full((3, 2), np.nan), np.zeros(3), "NaN"),
    ],
)
def test_heads_refuse_bad_data(features: np.ndarray, voltages: np.ndarray, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        train_heads(features, voltages, seeds=(0,), config=HeadConfig())


def test_the_card_states_errors_coverage_and_domain(model: VoltageModel) -> None:
    card = model.card
    figures = card.evaluation
    rows = {(name, row.working_ion): row for name, table in figures.errors.items() for row in table}
    seven = {name: rows[name, "seven-ion mean"] for name in figures.errors}
    assert seven["random"].mae_v <= 0.25
    assert seven["host"].mae_v <= 0.30
    assert all(0.88 <= share <= 0.92 for share in figures.coverage.values())
    assert all(
        figures.mae_out_of_domain_v[name] > 2 * figures.mae_in_domain_v[name] for name in figures.errors
    )
    # Labels in a random order leave nothing to learn: the error is that of guessing.
    assert card.permuted_labels_mae_v > 0.9 * seven["random"].median_baseline_v
