"""Records check themselves: one that exists is sound."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import RecordError
from core.provenance import Provenance
from core.records import CalculationRecord, Capacity, Crystal, Electrode, VoltagePrediction


def rock_salt(**changes: object) -> Crystal:
    fields: dict[str, object] = {
        "id": "mgo", "formula": "MgO", "lattice_a": 4.21 * np.eye(3), "species": ("Mg", "O"),
        "frac": np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]), "source": "hand-made",
    }  # fmt: skip
    return Crystal(**{**fields, **changes})  # type: ignore[arg-type]


def test_crystal_knows_its_size_and_content() -> None:
    crystal = rock_salt()
    assert crystal.n_sites == 2
    assert crystal.volume_a3 == pytest.approx(4.21**3)
    assert crystal.count("Mg") == 1 and crystal.count("Fe") == 0


def test_a_fingerprint_tells_structures_apart_and_not_names() -> None:
    known = rock_salt()
    assert known.fingerprint == rock_salt(id="another").fingerprint
    assert known.fingerprint != rock_salt(lattice_a=1.01 * known.lattice_a).fingerprint


def test_crystal_survives_the_way_to_pymatgen_and_json() -> None:
    crystal = rock_salt()
    assert crystal.to_pymatgen().composition.reduced_formula == "MgO"
    line = crystal.to_dict()
    assert line["nsites"] == 2 and line["species"] == ["Mg", "O"]
    np.testing.assert_array_equal(line["lattice"], crystal.lattice_a)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lattice_a": np.eye(2)}, r"must be \(3, 3\)"),
        ({"frac": np.zeros((3, 3))}, r"\(2, 3\)"),
        ({"species": (), "frac": np.zeros((0, 3))}, "at least one site"),
        ({"frac": np.full((2, 3), np.nan)}, "NaN or infinity"),
        ({"lattice_a": np.full((3, 3), np.inf)}, "NaN or infinity"),
        ({"lattice_a": np.zeros((3, 3))}, "must be positive"),
        ({"lattice_a": np.ones((3, 3))}, "must be positive"),
        ({"e_above_hull_ev_per_atom": float("nan")}, "e_above_hull_ev_per_atom is nan"),
    ],
)
def test_crystal_refuses(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        rock_salt(**changes)


def electrode() -> Electrode:
    return Electrode(
        battery_id="b", working_ion="Mg", average_voltage_v=3.0, formula_discharge="MgMn2O4", formula_charge="Mn2O4",
        id_discharge="d", id_charge="c", host_formula="MnO2", voltage_check="ok",
    )  # fmt: skip


def test_electrode_refuses_a_label_that_is_no_number() -> None:
    with pytest.raises(RecordError, match="average_voltage_v is nan"):
        replace(electrode(), average_voltage_v=float("nan"))


def prediction() -> VoltagePrediction:
    return VoltagePrediction(
        id="x", formula="MgO", working_ion="Mg", voltage_v=1.0, voltage_std_v=0.1, voltage_low_v=0.8,
        voltage_high_v=1.2, in_domain=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["voltage_v", "voltage_std_v", "voltage_low_v", "voltage_high_v"])
@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_prediction_needs_every_number(name: str, value: float | None) -> None:
    with pytest.raises(RecordError, match="finite voltage"):
        replace(prediction(), **{name: value})


def test_failed_prediction_carries_the_reason_and_no_numbers() -> None:
    failed = VoltagePrediction.failed(id="x", formula="Fe", working_ion="Mg", error="no Mg")
    assert failed.voltage_v is None and failed.error == "no Mg"
    with pytest.raises(RecordError, match="carries no numbers"):
        replace(prediction(), error="no Mg")


def test_capacity_refuses_infinity() -> None:
    with pytest.raises(RecordError, match="vol is inf"):
        Capacity(
            capacity_vol_ah_per_l=float("inf"), capacity_grav_mah_per_g=1.0, capacity_redox_vol_ah_per_l=None,
            capacity_redox_grav_mah_per_g=None,
        )  # fmt: skip


def calculation(**changes: object) -> CalculationRecord:
    stated = {"format": 1, "kind": "toy", "version": 1}
    fields: dict[str, object] = {
        "key": "0a" * 32, "name": "mgo-toy-1", "kind": "toy", "version": 1, "subject_id": "mgo", "formula": "MgO",
        "working_ion": "Mg", "verdict": "done", "created": "2026-01-01T00:00:00+00:00", "spec": stated,
        "result": stated | {"energy_ev": -1.0}, "provenance": Provenance(kind="toy"), "files": {"path.npz": b"\\x00"},
    }  # fmt: skip
    return CalculationRecord(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_calculation_holds_what_was_asked_and_what_came_out() -> None:
    record = calculation()
    assert record.result["energy_ev"] == -1.0 and record.files["path.npz"] == b"\\x00"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "0A" * 32}, "key"),
        ({"name": "a b"}, "name"),
        ({"kind": "Toy"}, "kind"),
        ({"version": 2}, "version"),
        ({"spec": {"kind": "toy", "version": 1}}, "format"),
        ({"result": {"format": 1, "kind": "other", "version": 1}}, "its result says"),
        ({"files": {"../x": b""}}, "file name"),
        ({"files": {".hidden": b""}}, "file name"),
    ],
)
def test_calculation_refuses(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        calculation(**changes)
