"""The relaxed ends of charging as a calculation: what it asks, what comes out, what a second sitting keeps."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.calculations import Context, Result, Spec, Stopped, read_spec
from core.calculations.kinds.relaxation import End, RelaxationResult, RelaxationSpec
from core.codec import from_json
from core.errors import NoWorkingIonError, PotentialError, RecordError, RelaxationError
from core.records import Crystal
from core.store import open_reader

MGNIO2 = "mp-1221953"
"""Four atoms; its label is 3.19 V."""


class Here(Context):
    """A folder, and a stop after some reports."""

    def __init__(self, folder: Path, stop_after: int | None = None) -> None:
        self.folder, self.device = folder, "cpu"
        self.rows: list[Mapping[str, Any]] = []
        self._stop_after = stop_after

    def should_stop(self) -> bool:
        return self._stop_after is not None and len(self.rows) >= self._stop_after

    def say(self, note: str) -> None:
        if self.should_stop():
            raise Stopped

    def report(self, row: Mapping[str, Any]) -> None:
        self.rows.append(row)

    def seconds_before(self) -> float:
        return 0.0

    def needed(self, spec: Spec) -> tuple[Result, Path]:
        raise AssertionError


@pytest.fixture(scope="module")
def spec() -> RelaxationSpec:
    with open_reader() as reader:
        return RelaxationSpec.planned(reader.crystal(MGNIO2), device="cpu")


@pytest.fixture(scope="module")
def result(spec: RelaxationSpec, tmp_path_factory: pytest.TempPathFactory) -> RelaxationResult:
    return spec.run(Here(tmp_path_factory.mktemp("relaxation")))


def test_a_known_electrode_comes_out_at_its_known_voltage(result: RelaxationResult) -> None:
    assert result.voltage_v == pytest.approx(3.21, abs=0.02)
    assert result.verdict == "topotactic"
    assert result.redox is None and result.redox_voltage_v is None


def test_the_voltage_follows_from_the_energies_that_are_kept(result: RelaxationResult) -> None:
    taken = result.discharged.n_ions - result.charged.n_ions
    energy_ev = result.charged.energy_ev + taken * result.metal_ev - result.discharged.energy_ev
    assert result.voltage_v == pytest.approx(energy_ev / (2 * taken))
    assert result.volume_change == result.charged.crystal.volume_a3 / result.discharged.crystal.volume_a3 - 1


def test_spec_and_result_survive_json(spec: RelaxationSpec, result: RelaxationResult) -> None:
    again = read_spec(json.loads(json.dumps(spec.to_dict())))
    assert again.key == spec.key
    fields = json.loads(json.dumps(result.to_dict()))
    assert RelaxationResult.from_dict(fields).to_dict() == result.to_dict()


def test_a_second_sitting_keeps_the_end_that_is_done(spec: RelaxationSpec, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        spec.run(Here(tmp_path, stop_after=6))  # within the charged end: the discharged one takes three steps
    kept = from_json(End, json.loads((tmp_path / "discharged.json").read_text()))
    assert not (tmp_path / "charged.json").exists()
    marked = json.loads((tmp_path / "discharged.json").read_text()) | {"n_steps": 77}
    (tmp_path / "discharged.json").write_text(json.dumps(marked))
    result = spec.run(Here(tmp_path))
    assert result.discharged.n_steps == 77
    assert result.discharged.energy_ev == kept.energy_ev


def test_progress_grows_from_nought_to_one(spec: RelaxationSpec, tmp_path: Path) -> None:
    context = Here(tmp_path)
    spec.run(context)
    fractions = [row["fraction"] for row in context.rows]
    assert fractions == sorted(fractions) and 0.0 <= fractions[0] < fractions[-1] <= 1.0
    assert [row["step"] for row in context.rows] == list(range(1, len(fractions) + 1))


def test_where_the_metals_pay_for_a_part_a_third_end_is_relaxed(tmp_path: Path) -> None:
    with open_reader() as reader:
        crystal = reader.crystal("mp-1045307")  # MgFeF4: Fe goes from 2+ to 3+, half of the Mg may leave
    spec = RelaxationSpec.planned(crystal, device="cpu")
    assert crystal.count("Mg") == 2 and spec.n_may_leave() == 1
    rough = replace(spec, force_ev_per_a=0.3)
    result = rough.run(Here(tmp_path))
    assert result.redox is not None and result.redox.n_ions == 1
    assert result.redox_voltage_v is not None and result.redox_voltage_v < result.voltage_v


def test_a_result_that_did_not_come_to_rest_says_so(spec: RelaxationSpec, tmp_path: Path) -> None:
    result = replace(spec, max_steps=1).run(Here(tmp_path))
    assert result.verdict == "not converged"
    assert "after 1 steps" in result.reason


def crystal(species: tuple[str, ...]) -> Crystal:
    frac = np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]])[: len(species)]
    return Crystal(id="c", formula="c", lattice_a=np.eye(3) * 4, species=species, frac=frac, source="test")


@pytest.mark.parametrize(
    ("species", "changes", "error", "words"),
    [
        (("O", "Ni"), {}, NoWorkingIonError, "holds no Mg"),
        (("Mg", "Mg"), {}, RelaxationError, "no host beside its Mg"),
        (("Mg", "O"), {"force_ev_per_a": 5.0}, RecordError, "0.001 to 0.5"),
        (("Mg", "O"), {"max_steps": 0}, RecordError, "1 to 5000"),
        (("Mg", "O"), {"potential": "none-such"}, PotentialError, "none-such"),
    ],
)
def test_what_could_never_run_is_refused(species, changes, error, words) -> None:
    asked = replace(RelaxationSpec.planned(crystal(species), device="cpu"), **changes)
    with pytest.raises(error, match=words):
        asked.check()
