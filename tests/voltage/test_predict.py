"""Prediction with a model from files: rows, reasons, and the shipped model's promises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError, NoWorkingIonError, UnknownIonError
from core.records import Crystal
from core.settings import ROOT
from core.voltage import evaluate_voltage, load_voltage_model, train_voltage
from core.voltage.base import Outputs
from core.voltage.card import VoltageCard
from core.voltage.predict import VoltageModel
from core.voltage.weights import write_model
from tests.voltage.crystals import SMALL, layered, lone_ion, moved, rock_salt, spinel
from tests.voltage.labelled import labelled, strained


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, VoltageCard]:
    """A model trained for two epochs on the made data set, by the recipe of the shipped one."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.voltage.training.load_labelled", lambda _: labelled(60))
        stages: list[tuple[str, int, int]] = []
        card = train_voltage(
            Path("unused"), kind="cgcnn", name="made", epochs=2, n_members=2, models_dir=folder,
            checkpoints_dir=folder / "runs", progress=lambda *stage: stages.append(stage),
        )  # fmt: skip
    expected = [
        (f"{stage} {member}/2", epoch, 2)
        for stage in ("random-0", "host-0", "final")
        for member in (1, 2)
        for epoch in (1, 2)
    ]
    assert [stage for stage in stages if not stage[0].startswith(("cross", "permuted"))] == expected
    (folder / "default.json").write_text('{"name": "made"}')
    return folder, card


@pytest.fixture(scope="module")
def model(trained) -> VoltageModel:
    return load_voltage_model(folder=trained[0])


def test_the_card_says_what_the_model_is(trained, model):
    _, card = trained
    assert model.card == card
    assert model.name == card.name == "made"
    assert model.sha256 == card.sha256
    assert card.kind == "cgcnn"
    assert card.data_sha256 == labelled().data_sha256
    assert card.seeds == (0, 1)
    assert "--epochs 2 --members 2" in card.command
    assert set(card.evaluation.errors) == {"random", "host"}
    assert {row.working_ion for row in card.evaluation.errors["host"]} == {"Mg", "Ca", "all"}
    assert card.calibration.n == sum(card.evaluation.errors[part][-1].n for part in ("random", "host"))


def test_rows_carry_voltage_spread_and_interval(model):
    progress: list[int] = []
    crystals = [make() for make in (spinel, layered)] * 40
    rows = model.predict(crystals, ["Mg"] * 80, progress=progress.append)
    assert progress == [64, 80]
    assert [row.id for row in rows] == [crystal.id for crystal in crystals]
    for row in rows:
        assert row.error is None
        assert row.voltage_low_v < row.voltage_v < row.voltage_high_v
        assert row.voltage_high_v - row.voltage_v == pytest.approx(1.6448536 * row.voltage_std_v)


def test_one_bad_structure_leaves_the_others(model):
    overlapping = Crystal(
        id="overlap", formula="MgO", lattice_a=4.0 * np.eye(3), species=("Mg", "O"), frac=np.zeros((2, 3)),
        source="made",
    )  # fmt: skip
    crystals = [spinel(), overlapping, rock_salt(), layered(), layered()]
    rows = model.predict(crystals, ["Mg", "Mg", "Li", "Mg", "Fe"])
    assert [row.error is None for row in rows] == [True, False, False, True, False]
    assert "one place" in rows[1].error
    assert "holds no Li" in rows[2].error
    assert "'Fe' is not a known working ion" in rows[4].error
    alone = model.predict([spinel()], ["Mg"])[
        0
    ]  # a batch of one: sums of another length round in the last bit
    assert rows[0].voltage_v == pytest.approx(alone.voltage_v, rel=1e-12)
    assert rows[0].voltage_std_v == pytest.approx(alone.voltage_std_v, rel=1e-12)
    assert rows[0].in_domain == alone.in_domain


def test_progress_ends_at_the_number_of_structures_though_some_are_refused(model):
    overlapping = replace(rock_salt(), id="overlap", frac=np.zeros((2, 3)))
    for crystals, ions in (
        ([spinel(), rock_salt(), layered()], ["Mg", "Li", "Mg"]),
        ([spinel(), overlapping], ["Mg", "Mg"]),
        ([overlapping], ["Mg"]),
        ([rock_salt()], ["Li"]),
    ):
        progress: list[int] = []
        model.predict(crystals, ions, progress=progress.append)
        assert progress[-1] == len(crystals)


def test_no_structures_no_rows(model):
    assert model.predict([], []) == []
    assert model.embed([], []).shape == model.domain.vectors[:0].shape


def test_learned_vectors_are_one_a_structure(model):
    crystals = [make() for make in SMALL]
    vectors = model.embed(crystals, ["Mg"] * len(crystals))
    assert vectors.shape == (len(crystals), model.domain.vectors.shape[1])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(
        vectors, model.network.outputs(crystals, ["Mg"] * len(crystals)).vectors, atol=1e-6
    )
    with pytest.raises(NoWorkingIonError):
        model.embed([spinel()], ["Li"])
    with pytest.raises(UnknownIonError):
        model.embed([spinel()], ["Mn"])


def test_out_of_domain_is_said(model):
    known, *rest = model.predict(
        [spinel(), strained(spinel(), "Mg", 3.0), lone_ion(), replaced(spinel(), "Mn", "U")], ["Mg"] * 4
    )
    assert known.in_domain is True
    assert [row.in_domain for row in rest] == [False] * 3
    assert all(row.voltage_v is not None for row in rest)


def replaced(crystal: Crystal, old: str, new: str) -> Crystal:
    return Crystal(
        id="replaced", formula=crystal.formula.replace(old, new), lattice_a=crystal.lattice_a, frac=crystal.frac,
        species=tuple(new if symbol == old else symbol for symbol in crystal.species), source="made",
    )  # fmt: skip


def test_a_network_that_gives_nan_gives_a_reason(model):
    class Broken:
        def outputs(self, crystals, working_ions, *, progress=None):
            found = model.network.outputs(crystals, working_ions)
            return Outputs(voltages_v=found.voltages_v * np.nan, vectors=found.vectors, trusted=found.trusted)

    broken = VoltageModel(Broken(), model.calibration, model.domain, model.card)
    assert "not a voltage" in broken.predict([spinel()], ["Mg"])[0].error


def test_the_number_of_threads_does_not_matter(model):
    before = torch.get_num_threads()
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(
            [row.voltage_v for row in model.predict([make() for make in SMALL], ["Mg"] * len(SMALL))]
        )
    torch.set_num_threads(before)
    np.testing.assert_allclose(found[0], found[1], rtol=0.0, atol=1e-9)


def test_evaluation_prints_the_tables_and_names_another_snapshot(trained, monkeypatch):
    folder, _ = trained
    monkeypatch.setattr("core.voltage.training.load_labelled", lambda _: labelled(60))
    text = evaluate_voltage(Path("unused"), models_dir=folder)
    assert "split: random" in text
    assert "split: host" in text
    assert "another data snapshot" not in text
    monkeypatch.setattr(
        "core.voltage.training.load_labelled", lambda _: replace(labelled(60), data_sha256="1" * 64)
    )
    assert "another data snapshot" in evaluate_voltage(Path("unused"), models_dir=folder)


@pytest.fixture(scope="module")
def shipped() -> VoltageModel:
    return load_voltage_model("cgcnn", folder=ROOT / "precomputed" / "models")


def test_the_shipped_model_keeps_its_promises(shipped):
    crystals = [make() for make in (*SMALL, lone_ion)]
    moves = [moved(crystal, scaling=(2, 1, 1), seed=7) for crystal in crystals]
    one = shipped.predict(crystals, ["Mg"] * len(crystals))
    two = shipped.predict(moves, ["Mg"] * len(crystals))
    for first, second in zip(one, two, strict=True):
        assert first.error is None
        assert first.voltage_v == pytest.approx(second.voltage_v, abs=1e-5)
    assert one[-1].in_domain is False  # an Mg atom alone


def test_the_shipped_cgcnn_states_its_errors_and_beats_the_baseline(shipped):
    for rows in shipped.card.evaluation.errors.values():
        overall = next(row for row in rows if row.working_ion == "all")
        assert overall.mae_v < 0.6 * overall.median_baseline_v
    assert 0.85 <= shipped.card.evaluation.cross_checked_coverage <= 0.95
    inside, outside = shipped.card.evaluation.mae_in_domain_v, shipped.card.evaluation.mae_out_of_domain_v
    assert all(outside[partition] > inside[partition] for partition in inside)


def test_an_unknown_kind_is_refused(trained):
    folder, card = trained
    write_model(folder, {"domain.vectors": np.zeros((2, 1))}, replace(card, name="strange", kind="oracle"))
    with pytest.raises(ModelError, match="'oracle' is not a kind"):
        load_voltage_model("strange", folder)
