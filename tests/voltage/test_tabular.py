"""Descriptor baselines: their rows, their folds, their kernel, and the table that ships."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks import descriptors
from core.ions import PAPER_IONS, WORKING_IONS
from core.provenance import sha256_of_files
from core.voltage.dataset import LABEL_FILES
from core.voltage.evaluation.cross_validate import cross_validate, partitions
from core.voltage.kinds.tabular import KINDS, features, kind, regressors
from core.voltage.kinds.tabular.kind import PreparedTabular
from core.voltage.kinds.tabular.regressors import SoapKernelRidge
from tests.voltage.crystals import rock_salt, spinel
from tests.voltage.labelled import labelled


class Memory:
    """Remembers its training rows by their number; answers the label, or NaN for a row it never saw."""

    def fit(self, X, y):
        self.known = dict(zip(X[:, 0].tolist(), y.tolist(), strict=True))
        return self

    def predict(self, X):
        return np.array([float(number in self.known) for number in X[:, 0].tolist()])


def made_blocks():
    """The ion block, and volume and size of the cells in place of descriptors from other packages."""
    data = labelled()
    size = np.array([[crystal.volume_a3, crystal.n_sites] for crystal in data.crystals], dtype=np.float32)
    ion = features.ion_block(data.crystals, data.working_ions)
    return {name: features.Block(name=name, values=values, seconds=1.0)
            for name, values in (("ion", ion), ("magpie", size))}  # fmt: skip


def test_ion_block_says_ion_charge_and_share():
    crystal = spinel()
    row = features.ion_block([crystal], ["Mg"])[0]
    assert row.shape == (regressors.ION_COLUMNS,)
    assert row[: len(WORKING_IONS)].tolist() == [float(ion == "Mg") for ion in WORKING_IONS]
    assert row[-2] == 2.0
    assert row[-1] == pytest.approx(1 / 7)


def test_no_row_is_predicted_by_a_baseline_that_saw_it():
    data = labelled()
    number = features.Block(
        name="number", values=np.arange(len(data), dtype=np.float32)[:, None], seconds=0.0
    )
    prepared = PreparedTabular(data, [number], (0,), lambda _seed: Memory(), kind="memory")
    for partition, folds in partitions(data).items():
        result = cross_validate(prepared, folds, partition=partition)
        assert np.array_equal(result.voltages_v, result.baseline_v[1])


def test_folds_keep_hosts_apart():
    data = labelled()
    hosts = np.array(data.host_formulas)
    parts = partitions(data)
    for folds in parts.values():
        assert np.array_equal(np.sort(np.concatenate(folds)), np.arange(len(data)))
    for fold in parts["host"]:
        assert not set(hosts[fold]) & set(np.delete(hosts, fold))


def test_compare_gives_the_documented_entries_and_learns(capsys, tmp_path, monkeypatch):
    data = labelled()
    blocks = made_blocks()
    monkeypatch.setattr(kind, "load_block", lambda name, *_, **__: blocks[name])
    entries = descriptors.compare(data, ["magpie-forest"], 0, tmp_path)
    assert list(entries) == ["mean", "median", "magpie-forest"]
    peer = entries["magpie-forest"]
    assert peer["n_features"] == regressors.ION_COLUMNS + 2
    assert peer["feature_seconds"] == 2.0
    everything = next(row for row in peer["random"] if row["working_ion"] == "all")
    assert everything["n"] == len(data)
    assert everything["mae_v"] < 0.5 * everything["median_baseline_v"]
    assert "magpie-forest, host folds" in capsys.readouterr().out
    assert "magpie-forest" in descriptors.summary(entries)


def test_kernel_ridge_interpolates_and_halves_across_ions():
    rng = np.random.default_rng(0)
    ions = np.zeros((6, regressors.ION_COLUMNS), dtype=np.float32)
    ions[:, 0] = 1.0
    rows = np.hstack([ions, rng.random((6, 30), dtype=np.float32)])
    labels = rng.normal(size=6)
    model = SoapKernelRidge(power=2, ridge=1e-9)
    assert model.fit(rows, labels).predict(rows) == pytest.approx(labels, abs=1e-3)
    other = rows.copy()
    other[:, 0], other[:, 1] = 0.0, 1.0
    assert model.predict(other) == pytest.approx(labels / 2, abs=1e-3)


def test_block_is_computed_once_and_again_for_other_data(tmp_path, monkeypatch):
    calls = []

    def counted(crystals, ions):
        calls.append(len(crystals))
        return features.ion_block(crystals, ions)

    monkeypatch.setitem(features.BLOCKS, "ion", counted)
    arguments = {"data_sha256": "a" * 64, "folder": tmp_path / "cache"}
    first = features.load_block("ion", [spinel()], ["Mg"], **arguments)
    again = features.load_block("ion", [spinel()], ["Mg"], **arguments)
    assert np.array_equal(first.values, again.values)
    assert calls == [1]
    features.load_block("ion", [rock_salt()], ["Mg"], **{**arguments, "data_sha256": "b" * 64})
    assert calls == [1, 1]


def test_magpie_and_crystal_blocks_of_rock_salt():
    pytest.importorskip("matminer", reason="matminer is in requirements-bench.txt, an environment of its own")
    crystal = rock_salt()
    magpie = features.magpie_block([crystal], ["Mg"])
    assert magpie.shape == (1, 132)
    assert magpie[0, :6] == pytest.approx(
        [8, 12, 4, 10, 2, 8]
    )  # least, greatest, range, mean, deviation, mode of Z
    block = features.crystal_block([crystal], ["Mg"])
    assert block.shape == (1, 41)
    assert block[0, 1] == pytest.approx(crystal.volume_a3 / crystal.n_sites, rel=1e-5)
    assert block[0, 3] == 225


def test_soap_is_the_same_for_a_turned_supercell():
    pytest.importorskip("dscribe", reason="dscribe is in requirements-bench.txt, an environment of its own")
    crystal = spinel()
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    double = replace(
        crystal,
        lattice_a=(np.diag([2, 1, 1]) @ crystal.lattice_a) @ turn,
        species=crystal.species * 2,
        frac=np.vstack([(crystal.frac + np.array([shift, 0, 0])) / [2, 1, 1] for shift in (0, 1)]),
    )
    one, two = (features.soap_block([item], ["Mg"])[0] for item in (crystal, double))
    assert one.shape == (len(set(crystal.species)) * 180,)
    assert two == pytest.approx(one, rel=1e-3, abs=1e-4 * float(np.abs(one).max()))


def test_pins_are_those_of_the_explorer_but_for_pandas(root):
    def pins(name):
        return dict(re.findall(r"^([\w-]+)==(\S+)", (root / name).read_text(), re.MULTILINE))

    explorer = {**pins("requirements.txt"), **pins("requirements-test.txt")}
    bench = pins("requirements-bench.txt")
    assert {name for name in explorer.keys() & bench if explorer[name] != bench[name]} == {"pandas"}
    assert {"matminer", "dscribe"} <= bench.keys()


@pytest.fixture(scope="module")
def shipped(root):
    return json.loads((root / "precomputed" / "accuracy" / "descriptors.json").read_text())


def test_shipped_table_covers_every_baseline_row_and_ion(shipped):
    assert list(shipped["peers"]) == ["mean", "median", *KINDS]
    for entry in shipped["peers"].values():
        for partition in ("random", "host"):
            rows = {row["working_ion"]: row for row in entry[partition]}
            assert set(rows) == {*WORKING_IONS, "all", "seven-ion mean"}
            assert sum(rows[ion]["n"] for ion in WORKING_IONS) == rows["all"]["n"] == shipped["n"]
            seven = np.mean([rows[ion]["mae_v"] for ion in PAPER_IONS])
            assert rows["seven-ion mean"]["mae_v"] == pytest.approx(seven, abs=2e-4)
            assert all(row["low_v"] <= row["mae_v"] <= row["high_v"] for row in rows.values())
    assert shipped["command"].startswith("python -m benchmarks.descriptors --data ../shared/data")


def test_shipped_baselines_are_the_same_beside_every_baseline(shipped):
    for partition in ("random", "host"):
        means = [[row["mean_baseline_v"] for row in entry[partition]] for entry in shipped["peers"].values()]
        assert all(one == other for one, other in pairwise(means))
        assert [row["mae_v"] for row in shipped["peers"]["mean"][partition]] == means[0]


def test_shipped_table_is_of_this_data(shipped, reference_data):
    assert shipped["data_sha256"] == sha256_of_files(reference_data / name for name in LABEL_FILES)
