"""The maps of what models learned: made from small data, read back, refused when damaged; the shipped ones are sane."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import ModelError, RecordError, StructureError, TrainingError
from core.graphs import atomic_numbers
from core.ions import WORKING_IONS
from core.voltage import embedding_maps
from core.voltage.embedding_maps import Environments, make_random_maps, make_shipped_maps
from core.voltage.embeddings import ELEMENT_CLASSES, RANDOM, SHIPPED, AtomMap, ElectrodeMap, read_maps
from core.voltage.kinds.frozen_host import backbones
from core.voltage.projections import agreement, element_class, equal_share
from tests.voltage.labelled import labelled

MAX_BYTES = 2_000_000


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Twelve labelled crystals in place of a data folder; checkpoints go to a folder of the test."""
    data = labelled(5)
    monkeypatch.setattr(embedding_maps, "load_labelled", lambda _folder: data)
    monkeypatch.setenv("MGC_CHECKPOINTS", str(tmp_path / "checkpoints"))
    return data


class FakeProbe:
    """Vectors that depend on the element alone; one structure is refused."""

    def __call__(self, crystal):
        if crystal.id == labelled(5).crystals[0].id:
            raise StructureError("refused")
        numbers = atomic_numbers(crystal.species)
        return SimpleNamespace(
            vectors=np.column_stack([np.sin(numbers), np.cos(numbers), np.full(len(numbers), 1.0)])
        )


def test_random_maps_are_made_and_read_back(small_data, tmp_path: Path) -> None:
    stages: list[str] = []
    card = make_random_maps(
        tmp_path,
        epochs=2,
        n_points=20,
        folder=tmp_path,
        progress=lambda stage, done, total: stages.append(stage),
    )
    found = read_maps(RANDOM, tmp_path)
    assert found.card == json.loads(json.dumps(card))
    assert {"train", "t-SNE"} <= set(stages)
    elements, atoms = found.atoms["elements"], found.atoms["atoms"]
    assert sorted(elements.symbols) == ["Ca", "Mg", "Mn", "O", "S", "Ti"]
    assert elements.symbols[elements.is_working_ion].tolist() == ["Mg", "Ca"]
    assert len(elements.explained) == 2 and len(atoms.symbols) <= 20
    assert set(atoms.symbols[atoms.is_working_ion]) == {"Mg", "Ca"}
    assert set(atoms.battery_ids) <= {electrode.battery_id for electrode in small_data.electrodes}


def test_a_finished_training_is_not_done_again_and_gives_the_same_maps(small_data, tmp_path: Path) -> None:
    maps, epochs = [], []
    for number in range(2):
        make_random_maps(
            tmp_path, epochs=2, n_points=20, folder=tmp_path / str(number),
            progress=lambda stage, done, total: epochs.append(done) if stage == "train" else None,
        )  # fmt: skip
        maps.append(read_maps(RANDOM, tmp_path / str(number)).atoms["atoms"].xy)
    assert epochs == [1, 2]
    assert np.array_equal(*maps)


def shipped_stub(data, sha256: str = "1" * 64) -> SimpleNamespace:
    vectors = np.random.default_rng(0).normal(size=(len(data), 6)).astype(np.float32)
    card, domain = SimpleNamespace(data_sha256=data.data_sha256), SimpleNamespace(vectors=vectors)
    return SimpleNamespace(name="stub", sha256=sha256, card=card, domain=domain)


def test_shipped_maps_are_made_and_read_back(small_data, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(embedding_maps, "load_voltage_model", lambda _name: shipped_stub(small_data))
    monkeypatch.setattr(backbones, "SevenNetBackbone", FakeProbe)
    make_shipped_maps(tmp_path, n_points=20, folder=tmp_path)
    found = read_maps(SHIPPED, tmp_path)
    electrodes, atoms = found.electrodes["electrodes"], found.atoms["sevennet"]
    assert electrodes.working_ions.tolist() == small_data.working_ions
    assert electrodes.voltages_v == pytest.approx(small_data.voltages_v, abs=1e-5)
    assert set(atoms.symbols) == {"Mg", "Ca", "Mn", "O", "S", "Ti"}
    assert (found.card["model"], found.card["vector_length"]) == ("stub", 6)


def test_a_model_of_another_snapshot_is_refused(small_data, tmp_path: Path, monkeypatch) -> None:
    other = replace(small_data, data_sha256="2" * 64)
    monkeypatch.setattr(embedding_maps, "load_voltage_model", lambda _name: shipped_stub(other))
    with pytest.raises(TrainingError, match="another data snapshot"):
        make_shipped_maps(tmp_path, folder=tmp_path)


def test_agreement_is_one_where_kinds_lie_apart_and_chance_where_they_do_not() -> None:
    symbols = np.array(["F", "Cl", "Br", "Li", "Na", "K"])
    kinds = np.array([element_class(symbol) for symbol in symbols])
    apart = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
    assert agreement(apart, symbols, kinds, n_neighbours=2) == (1.0, pytest.approx(0.4))
    same = np.zeros((6, 1))
    found, chance = agreement(same, symbols, kinds, n_neighbours=5)
    assert found == chance == pytest.approx(0.4)
    only_halogens = agreement(apart, symbols, kinds, of=kinds == "halogen", n_neighbours=3)
    assert only_halogens[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("Li", "alkali metal"), ("Mg", "alkaline earth"), ("Fe", "transition metal"), ("La", "lanthanide"),
        ("U", "actinide"), ("Al", "post-transition metal"), ("Si", "metalloid"), ("Te", "metalloid"),
        ("O", "non-metal"), ("H", "non-metal"), ("Cl", "halogen"),
    ],
)  # fmt: skip
def test_each_element_has_its_class(symbol: str, name: str) -> None:
    assert element_class(symbol) == name and name in ELEMENT_CLASSES


def test_points_are_shared_equally() -> None:
    assert equal_share(np.array([100, 5, 100]), 45) == 20
    assert equal_share(np.array([1, 1]), 1) == 1
    numbers = np.repeat([8, 12, 25], [100, 5, 100])
    many = Environments(
        vectors=np.zeros((205, 2)), numbers=numbers, rows=np.arange(205), is_ion=np.zeros(205, dtype=bool)
    )
    few = many.balanced(45, np.random.default_rng(0))
    assert np.unique(few.numbers, return_counts=True)[1].tolist() == [20, 5, 20]


def test_the_shipped_maps_are_sound_and_small(precomputed: Path) -> None:
    folder = precomputed / "inside"
    assert sum(path.stat().st_size for path in folder.iterdir()) < MAX_BYTES
    random, shipped = read_maps(RANDOM), read_maps(SHIPPED)
    for found in (*random.atoms.values(), *shipped.atoms.values()):
        assert set(found.classes) <= set(ELEMENT_CLASSES)
        assert np.isfinite(found.xy).all() and found.agreement > found.chance
    assert set(random.atoms["elements"].symbols[random.atoms["elements"].is_working_ion]) == set(WORKING_IONS)
    assert random.card["test_mae_v"] < 0.6
    assert set(shipped.electrodes["electrodes"].working_ions) == set(WORKING_IONS)


def test_absent_maps_are_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"random-640\.json is missing"):
        read_maps(RANDOM, tmp_path)


@pytest.mark.parametrize("damage", ["garbage", "card", "rows"])
def test_damaged_maps_are_refused(tmp_path: Path, precomputed: Path, damage: str) -> None:
    with np.load(precomputed / "inside" / f"{RANDOM}.npz") as stored:
        arrays = {key: stored[key] for key in stored.files}
    card = json.loads((precomputed / "inside" / f"{RANDOM}.json").read_text())
    if damage == "card":
        del card["atoms"]
    if damage == "rows":
        arrays["atoms.xy"] = arrays["atoms.xy"][:-1]
    np.savez_compressed(tmp_path / f"{RANDOM}.npz", **arrays)
    (tmp_path / f"{RANDOM}.json").write_text(json.dumps(card))
    if damage == "garbage":
        (tmp_path / f"{RANDOM}.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(ModelError, match="damaged"):
        read_maps(RANDOM, tmp_path)


def test_maps_of_no_points_or_unequal_columns_are_refused() -> None:
    xy, text = np.zeros((0, 2), dtype=np.float32), np.array([], dtype=str)
    with pytest.raises(RecordError, match="at least one"):
        ElectrodeMap(
            pca_xy=xy, tsne_xy=xy, working_ions=text, voltages_v=np.zeros(0, dtype=np.float32), formulas=text,
            battery_ids=text,
        )  # fmt: skip
    with pytest.raises(RecordError, match="same number"):
        AtomMap(
            xy=np.zeros((2, 2), dtype=np.float32), symbols=np.array(["O"]), classes=np.array(["non-metal"]),
            is_working_ion=np.array([False]), formulas=np.array([""]), battery_ids=np.array([""]), agreement=0.0,
            chance=0.0, ion_agreement=0.0, ion_chance=0.0,
        )  # fmt: skip
