"""Which labels are kept, and that no host or row stands in two parts of a split."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import TrainingError
from core.ions import WORKING_IONS
from core.settings import Settings
from core.voltage.dataset import clean, load_labelled
from core.voltage.evaluation.folds import Split, check_hosts_apart, fold_split, host_folds, random_folds
from core.voltage.kinds.cgcnn.batches import GraphTable
from tests.voltage.labelled import electrode, labelled


def many_rows(n_rows: int = 1000) -> tuple[list[str], list[str]]:
    """Ions in unequal shares and hosts of one to a dozen rows."""
    rng = np.random.default_rng(0)
    ions = rng.choice(WORKING_IONS, size=n_rows, p=[0.4, 0.1, 0.05, 0.02, 0.02, 0.15, 0.1, 0.1, 0.03, 0.03])
    hosts = [f"host{int(number)}" for number in rng.zipf(1.5, size=n_rows) % 400]
    return ions.tolist(), hosts


def test_cleaning_refuses_with_a_reason_and_keeps_the_rest():
    data = labelled()
    good, structures = data.electrodes[0], {crystal.id: crystal for crystal in data.crystals}
    bare = structures[good.id_discharge]
    structures["bare"] = replace(bare, species=("Ca", *bare.species[1:]), id="bare")
    structures["bare"] = replace(bare, species=tuple("O" for _ in bare.species), id="bare")
    bad = [
        replace(good, battery_id="absent", id_discharge="nowhere"),
        replace(good, battery_id="no ion inside", id_discharge="bare"),
        replace(good, battery_id="eleventh ion", working_ion="Sr"),
        nan_label(good),
    ]
    cleaned = clean([good, *bad], structures)
    assert [item.battery_id for item in cleaned.electrodes] == [good.battery_id]
    reasons = {item.id: item.reason for item in cleaned.refused}
    assert reasons == {
        "absent": "discharged structure nowhere is absent",
        "no ion inside": "discharged structure holds no Mg",
        "eleventh ion": "working ion Sr is not one of the ten",
        "nan": "label is nan",
    }


def nan_label(good):
    """A label that slipped past the record's own check."""
    return SimpleNamespace(
        battery_id="nan", average_voltage_v=float("nan"), working_ion="Mg", id_discharge=good.id_discharge
    )


def test_nothing_left_is_an_error():
    with pytest.raises(TrainingError, match="None of 1 electrodes can be used"):
        clean([replace(labelled().electrodes[0], id_discharge="nowhere")], {})


def test_energies_never_reach_the_model():
    crystal = replace(labelled().crystals[0], e_above_hull_ev_per_atom=0.1)
    label = electrode(crystal, "Mg", 12.0, host="h")
    cleaned = clean([label], {crystal.id: crystal})
    assert cleaned.crystals[0].e_above_hull_ev_per_atom is None
    assert cleaned.n_unusual == 1
    fields = set(GraphTable.__slots__)
    assert fields == {
        "atom_start", "edge_start", "length_start", "atomic_numbers", "ion_weights", "atom_weights", "atoms",
        "neighbours", "edge_lengths", "edge_counts", "lengths_a",
    }  # fmt: skip


def test_real_labels_are_read_and_counted():
    data_dir = Settings.from_environment().data
    if not (data_dir / "electrodes.csv").exists():
        pytest.skip(f"no reference data in {data_dir}")
    data = load_labelled(data_dir)
    assert len(data) == 3504
    assert not data.refused
    assert data.n_unusual == 18
    for folds in (random_folds(data.working_ions), host_folds(data.host_formulas, data.working_ions)):
        assert {len(fold) for fold in folds} <= set(range(340, 361))


def test_random_folds_share_out_each_ion():
    ions, _ = many_rows()
    folds = random_folds(ions, seed=3)
    assert sorted(np.concatenate(folds).tolist()) == list(range(len(ions)))
    total = Counter(ions)
    for fold in folds:
        for ion, n in Counter(ions[row] for row in fold).items():
            assert abs(n - total[ion] / 10) <= 1.0


def test_host_folds_keep_each_host_together_and_balance():
    ions, hosts = many_rows()
    folds = host_folds(hosts, ions, seed=3)
    assert sorted(np.concatenate(folds).tolist()) == list(range(len(ions)))
    owner: dict[str, int] = {}
    for number, fold in enumerate(folds):
        for row in fold:
            assert owner.setdefault(hosts[row], number) == number
    sizes = [len(fold) for fold in folds]
    largest = max(Counter(hosts).values())
    assert max(sizes) - min(sizes) <= largest
    check_hosts_apart(fold_split(folds, 4), hosts)


@pytest.mark.parametrize("seed", [0, 1])
def test_folds_repeat_with_their_seed_and_differ_without(seed):
    ions, hosts = many_rows()
    for make in (lambda s: random_folds(ions, seed=s), lambda s: host_folds(hosts, ions, seed=s)):
        for one, two in zip(make(seed), make(seed), strict=True):
            np.testing.assert_array_equal(one, two)
        assert any(
            len(one) != len(two) or (one != two).any() for one, two in zip(make(seed), make(9), strict=True)
        )


def test_a_split_of_ten_folds_is_eight_one_one():
    ions, _ = many_rows()
    folds = random_folds(ions)
    for number in range(10):
        split = fold_split(folds, number)
        assert [len(part) for part in (split.train, split.validation, split.test)] == [800, 100, 100]


def test_splits_that_cannot_be_are_refused():
    ions, _ = many_rows(20)
    with pytest.raises(TrainingError, match="cannot make 2 folds"):
        random_folds(ions, n_folds=2)
    with pytest.raises(TrainingError, match="cannot make 10 folds"):
        host_folds(["one"] * 20, ions)
    with pytest.raises(TrainingError, match="leave nothing to train on"):
        fold_split([np.array([0]), np.array([1])])
    with pytest.raises(TrainingError, match="two parts of a split"):
        Split(train=np.array([0, 1]), validation=np.array([2]), test=np.array([1]))
    with pytest.raises(TrainingError, match="without training rows"):
        Split(train=np.array([], dtype=int), validation=np.array([2]), test=np.array([1]))
