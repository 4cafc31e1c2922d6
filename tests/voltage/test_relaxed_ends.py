"""The relaxed-ends model: its raw quantities, their features, the store that survives a stop, and the head."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from core.errors import RelaxationError, StructureError
from core.ions import WORKING_IONS
from core.records import Crystal
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.features import BLOCKS as FROZEN_BLOCKS
from core.voltage.kinds.frozen_host.features import MetalEnergies, structure_key
from core.voltage.kinds.frozen_host.features import features as frozen_features
from core.voltage.kinds.frozen_host.head import HeadConfig
from core.voltage.kinds.relaxed_ends import ends as ends_module
from core.voltage.kinds.relaxed_ends import extract as extract_module
from core.voltage.kinds.relaxed_ends import store as store_module
from core.voltage.kinds.relaxed_ends.ends import Instruments, RawEnds, raw_ends
from core.voltage.kinds.relaxed_ends.extract import extract, fair_order
from core.voltage.kinds.relaxed_ends.features import BLOCKS, N_FEATURES, block, features
from core.voltage.kinds.relaxed_ends.forest import MIN_LEAF, N_TREES, SHARE_OF_FEATURES, Forest
from core.voltage.kinds.relaxed_ends.head import RemainderHeads, relaxed_voltages, train_remainder
from core.voltage.kinds.relaxed_ends.store import EndsStore
from tests.voltage.crystals import layered, spinel

METALS = MetalEnergies(
    sevennet_ev=np.full(len(WORKING_IONS), -1.5), chgnet_ev=np.full(len(WORKING_IONS), -1.0)
)


@pytest.fixture(scope="module")
def instruments() -> Instruments:
    return Instruments.load()


@pytest.fixture(scope="module")
def crystal() -> Crystal:
    """Layered MgCoO2 in the LiCoO2 structure, four atoms."""
    lattice = np.array([[2.9, 0.0, 0.1], [-1.45, 2.51, 0.0], [1.45, 0.84, 4.75]])
    frac = np.array([[0.01, 0.0, 0.5], [0.0, 0.02, 0.0], [0.26, 0.25, 0.24], [0.74, 0.75, 0.77]])
    return Crystal(
        id="layered", formula="MgCoO2", lattice_a=lattice, species=("Mg", "Co", "O", "O"), frac=frac, source="test"
    )  # fmt: skip


@pytest.fixture(scope="module")
def raw(instruments: Instruments, crystal: Crystal) -> RawEnds:
    return raw_ends(crystal, "Mg", instruments, max_steps=4)


def doubled(crystal: Crystal) -> Crystal:
    """Two cells along the first axis."""
    half = crystal.frac * [0.5, 1.0, 1.0]
    return replace(
        crystal, lattice_a=crystal.lattice_a * np.array([[2.0], [1.0], [1.0]]), species=crystal.species * 2,
        frac=np.concatenate([half, half + np.array([0.5, 0.0, 0.0])]),
    )  # fmt: skip


def test_relaxing_lowers_the_energy_and_moves_the_host(raw: RawEnds) -> None:
    assert raw["steps"].shape == (5, 5)
    assert raw["seven_ev"][2] < raw["seven_ev"][1]
    assert raw["seven_ev"][1] == pytest.approx(raw["steps"][0, 0])
    assert raw["moves_a"].shape == (3,) and raw["moves_a"].max() > 0.0
    assert raw["seven_sums.relaxed"].shape == (3, 128)
    assert raw["seven_sums.frozen"][list(raw["elements"]).index(12)].tolist() == [0.0] * 128  # no Mg is left
    assert np.isnan(raw["seven_ev"][3])  # a lone ion has no half
    np.testing.assert_array_equal(raw["flags"], [False, False])


def test_features_begin_as_those_of_the_frozen_host(raw: RawEnds, crystal: Crystal) -> None:
    ours = features(raw, "Mg", METALS)
    theirs = frozen_features(crystal, "Mg", Backbones.load(), METALS)
    assert ours.shape == (N_FEATURES,) == (sum(BLOCKS.values()),)
    assert list(BLOCKS)[: len(FROZEN_BLOCKS)] == list(FROZEN_BLOCKS)
    np.testing.assert_allclose(ours[: len(theirs)], theirs, atol=2e-3)


def test_a_supercell_has_the_features_of_its_cell(
    raw: RawEnds, crystal: Crystal, instruments: Instruments
) -> None:
    single = features(raw, "Mg", METALS)
    double = features(raw_ends(doubled(crystal), "Mg", instruments, max_steps=4), "Mg", METALS)
    double[block("curvature")] = single[block("curvature")]  # the supercell has a half
    np.testing.assert_allclose(double[block("frozen_voltage")], single[block("frozen_voltage")], atol=1e-3)
    # So few steps leave the two on their ways, and the ways differ.
    np.testing.assert_allclose(relaxed_voltages(double[None]), relaxed_voltages(single[None]), atol=0.1)
    np.testing.assert_allclose(double[block("geometry")], single[block("geometry")], atol=1e-9)


def test_relaxed_voltages_by_hand(raw: RawEnds) -> None:
    row = features(raw, "Mg", METALS)
    (whole, frozen, relaxed) = raw["seven_ev"][:3]
    assert row[block("frozen_voltage")][0] == pytest.approx((frozen - 1.5 - whole) / 2.0)
    assert row[block("relaxed_voltage")][0] == pytest.approx((relaxed - 1.5 - whole) / 2.0)
    assert relaxed_voltages(row[None])[0, 1] == pytest.approx(
        (raw["chgnet_ev"][2] - 1.0 - raw["chgnet_ev"][0]) / 2
    )


def test_half_of_the_ions_leave_far_from_each_other(crystal: Crystal) -> None:
    four = doubled(doubled(crystal))
    half = ends_module._half_charged(four, "Mg")
    assert half is not None and half.species.count("Mg") == 2
    places = sorted(half.frac[[it for it, element in enumerate(half.species) if element == "Mg"], 0])
    assert places[1] - places[0] == pytest.approx(0.5)  # every other one along the row
    assert ends_module._half_charged(crystal, "Mg") is None


def test_a_host_that_breaks_is_taken_as_it_was_before(
    crystal: Crystal, instruments: Instruments, monkeypatch: pytest.MonkeyPatch
) -> None:
    relax = ends_module.relax

    def breaking(*arguments: object, **options: object) -> object:
        relax(*arguments, **options)  # type: ignore[arg-type]
        raise RelaxationError("it came apart")

    monkeypatch.setattr(ends_module, "relax", breaking)
    raw = raw_ends(crystal, "Mg", instruments, max_steps=4)
    np.testing.assert_array_equal(raw["flags"], [False, True])
    assert len(raw["steps"]) == 3
    assert np.isfinite(features(raw, "Mg", METALS)).all()


def test_a_crystal_of_ions_alone_is_refused(crystal: Crystal, instruments: Instruments) -> None:
    alone = replace(crystal, species=("Mg",) * 4, formula="Mg")
    store = EndsStore()
    with pytest.raises(StructureError, match="no host is left"):
        raw_ends(alone, "Mg", instruments)
    refused = extract([alone], ["Mg"], store)
    assert "no host is left" in refused[structure_key(alone, "Mg")]
    assert not len(store)


def test_the_fair_order_has_one_ion_first() -> None:
    ions = ["Li", "Mg", "Na", "Mg", "Li"] * 20
    order = fair_order(ions)
    assert sorted(order) == list(range(100))
    assert {ions[row] for row in order[:40]} == {"Mg"}
    assert [ions[row] for row in order[40:]] != sorted(ions[row] for row in order[40:])
    np.testing.assert_array_equal(order, fair_order(ions))


def test_an_extraction_goes_on_where_it_stopped(
    tmp_path: Path, raw: RawEnds, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(Instruments, "load", lambda: None)
    monkeypatch.setattr(extract_module, "raw_ends", lambda crystal, *_: made.append(crystal.id) or raw)
    monkeypatch.setattr(store_module, "_IN_A_FILE", 2)
    crystals = [
        replace(layered(), id=str(it), lattice_a=layered().lattice_a * (1 + it / 100)) for it in range(5)
    ]
    extract(crystals[:4], ["Mg"] * 4, EndsStore(tmp_path))
    again = EndsStore(tmp_path)
    extract(crystals, ["Mg"] * 5, again)
    again.save()
    assert made == ["0", "1", "2", "3", "4"]
    fresh = EndsStore(tmp_path)
    fresh.refresh()
    assert len(fresh) == 5
    kept = fresh.get(structure_key(crystals[4], "Mg"))
    assert kept is not None and set(kept) == set(raw)
    np.testing.assert_array_equal(kept["steps"], raw["steps"])


def test_ends_of_another_version_are_not_read(
    tmp_path: Path, raw: RawEnds, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EndsStore(tmp_path)
    store.put(structure_key(spinel(), "Mg"), raw)
    store.save()
    monkeypatch.setattr(store_module, "ENDS_VERSION", 99)
    other = EndsStore(tmp_path)
    other.refresh()
    assert not len(other)


def test_the_head_learns_what_the_relaxed_voltages_leave() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, N_FEATURES)).astype(np.float32)
    labels = relaxed_voltages(rows)[:, 0] + 0.2 + 0.1 * rows[:, 0]
    config = HeadConfig(epochs=10)
    heads = train_remainder(rows, labels, seeds=(0, 1), config=config)
    outputs = heads(rows)
    assert outputs.voltages_v.shape == (400, 4)
    assert np.abs(outputs.voltages_v.mean(axis=1) - labels).mean() < 0.1
    assert outputs.doubt_v is not None
    apart = np.abs(np.diff(relaxed_voltages(rows), axis=1))[:, 0]
    assert (outputs.doubt_v >= apart - 1e-12).all()
    read = RemainderHeads.from_arrays(heads.to_arrays(), n_members=2, config=config)(rows)
    np.testing.assert_array_equal(read.voltages_v, outputs.voltages_v)


def test_a_forest_says_what_scikit_learn_says() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 6)).astype(np.float32)
    targets = np.abs(rows[:, 0]) + rows[:, 1]
    forest = Forest.fitted(rows, targets, seed=3)
    theirs = ExtraTreesRegressor(
        N_TREES, min_samples_leaf=MIN_LEAF, max_features=SHARE_OF_FEATURES, random_state=3
    ).fit(rows, targets)
    asked = rng.normal(size=(50, 6)).astype(np.float32)
    np.testing.assert_allclose(forest(asked), theirs.predict(asked), atol=1e-5)
    read = Forest.from_arrays(forest.to_arrays("f."), "f.")
    np.testing.assert_array_equal(read(asked), forest(asked))
