"""Stability as what follows from relaxed ends: fields, stated values, what is left out, and the way to the store."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.calculations import Calculation, read_result, read_spec, to_record
from core.calculations.kinds.relaxation import End, RelaxationResult, RelaxationSpec
from core.calculations.kinds.stability import StabilitySpec, judge
from core.errors import CalculationError
from core.provenance import Provenance
from core.records import Crystal
from core.stability import shipped_formation_model, shipped_hull

CHARGED_ABOVE, DISCHARGED_ABOVE = 0.08, 0.02


def crystal(species: tuple[str, ...], id: str = "made", above: float | None = None) -> Crystal:
    frac = np.linspace(0.0, 0.9, 3 * len(species)).reshape(-1, 3)
    formula = "".join(f"{element}{count}" for element, count in Counter(species).items())
    return Crystal(
        id=id, formula=formula, lattice_a=np.eye(3) * 6.0, species=species, frac=frac, source="MP-made",
        e_above_hull_ev_per_atom=above,
    )  # fmt: skip


def energy_ev(species: tuple[str, ...], above: float) -> float:
    """The potential's energy of a cell that shall lie so far above the hull, eV/atom."""
    composition = Counter(species)
    model, found = shipped_formation_model(), shipped_hull().decompose(composition)
    zero = model.predict(composition, 0.0, model.energy_scale).value_ev_per_atom
    return len(species) * (found.energy_ev_per_atom + above - zero)


def end(species: tuple[str, ...], above: float) -> End:
    return End(
        crystal=crystal(species), n_ions=species.count("Mg"), energy_ev=energy_ev(species, above),
        force_max_ev_per_a=0.01, n_steps=9, converged=True, start_force_ev_per_a=0.1, start_pressure_gpa=0.0,
    )  # fmt: skip


def relaxation(host: tuple[str, ...] = ("Cr",) * 2 + ("O",) * 4, **changes: Any) -> Calculation:
    charged = changes.pop("charged_above", CHARGED_ABOVE)
    discharged = changes.pop("discharged_above", DISCHARGED_ABOVE)
    stated = changes.pop("stated", None)
    fields: dict[str, Any] = {
        "verdict": "topotactic", "potential": "nequip-mp", "discharged": end(("Mg", *host), discharged),
        "charged": end(host, charged), "redox": None, "metal_ev": -1.6, "voltage_v": 3.0, "redox_voltage_v": None,
        "framework": "topotactic", "volume_change": 0.01, "largest_move_a": 0.1, "mean_move_a": 0.05,
        "bonds_changed": 0.0, "coordination_changed": 0, "n_host_cations": 2, "matches": True,
        "provenance": Provenance(kind="relaxation", model_name="nequip-mp", model_sha256="0" * 64, device="cpu"),
    }  # fmt: skip
    result = RelaxationResult(**(fields | changes))
    spec = RelaxationSpec.planned(crystal(("Mg", *host), above=stated), device="cpu")
    return Calculation(name=spec.name, spec=spec, result=result, read_file=lambda name: None)


def test_ends_and_voltages_come_out() -> None:
    (found,), left_out = StabilitySpec.derived([relaxation()])
    assert left_out == []
    result: Any = found.result
    assert result.charged_e_above_hull_ev_per_atom == pytest.approx(CHARGED_ABOVE)
    assert result.discharged_e_above_hull_ev_per_atom == pytest.approx(DISCHARGED_ABOVE)
    assert 0.0 < result.charged_e_above_hull_std_ev_per_atom < 0.1
    assert result.full_conversion_voltage_v - result.insertion_voltage_v == pytest.approx(
        DISCHARGED_ABOVE * 7 / 2
    )
    assert result.insertion_window_v == result.insertion_voltage_v - result.conversion_voltage_v
    assert {it.formula for it in result.conversion_products} == {"MgO", "Cr"}
    assert result.verdict == "stable enough"
    assert "MgCr2O4" in result.reason and "MgO" in result.reason and "window" in result.reason
    assert result.figures()["charged_e_above_hull_ev_per_atom"] == result.charged_e_above_hull_ev_per_atom
    assert found.spec.made_of() == (relaxation().name,)


def test_a_stated_value_stands_for_the_discharged_end_without_an_error() -> None:
    result: Any = judge(relaxation(stated=0.003)).result
    assert result.discharged_e_above_hull_ev_per_atom == 0.003
    assert result.discharged_e_above_hull_std_ev_per_atom is None
    assert result.discharged_by_potential_ev_per_atom == pytest.approx(DISCHARGED_ABOVE)


def test_a_stated_value_survives_a_run_folder() -> None:
    spec = relaxation(stated=0.003).spec
    again: Any = read_spec(json.loads(json.dumps(spec.to_dict())))
    assert again.crystal.e_above_hull_ev_per_atom == 0.003
    assert again.key == spec.key == relaxation().spec.key, "who states it decides nothing"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"charged_above": 0.4}, "charged end unstable"),
        ({"discharged_above": 0.3}, "discharged end unstable"),
        ({"charged_above": 0.195}, "unclear"),
        ({"charged_above": 0.0, "discharged_above": -0.03}, "stable enough"),
        ({"charged_above": 0.0, "discharged_above": -0.2}, "unclear"),
    ],
)
def test_verdicts(changes: dict[str, float], verdict: str) -> None:
    assert judge(relaxation(**changes)).result.verdict == verdict


def test_a_host_that_converts_before_ions_go_in() -> None:
    """MgTi2S4 falls to MgS and TiS at 0.85 V; a discharged end at its limit takes ions in below that."""
    host = ("Ti",) * 2 + ("S",) * 4
    result: Any = judge(relaxation(host, charged_above=-0.02, discharged_above=0.09)).result
    assert result.insertion_window_v < 0.0 and result.verdict == "converts first"


def test_below_the_hull_is_said() -> None:
    assert "below the hull known here" in judge(relaxation(discharged_above=-0.2)).result.reason


def test_the_end_that_the_redox_metals_pay_for_decides() -> None:
    host = ("Cr",) * 4 + ("O",) * 8
    redox = end(("Mg", *host), 0.01)
    found = relaxation(host, discharged=end(("Mg", "Mg", *host), 0.0), charged=end(host, 0.5), redox=redox)
    result: Any = judge(found).result
    assert result.redox_e_above_hull_ev_per_atom == pytest.approx(0.01)
    assert result.charged_e_above_hull_ev_per_atom == pytest.approx(0.5)
    assert result.verdict == "stable enough" and "redox metals can pay for" in result.reason


def test_what_had_not_come_to_rest_is_noted() -> None:
    assert judge(relaxation(verdict="not converged")).result.notes


def test_what_cannot_be_judged_is_left_out_with_the_reason() -> None:
    found, (skipped,) = StabilitySpec.derived([relaxation(potential="chgnet")])
    assert found == [] and "scale" in skipped.reason and "Relax with a potential" in skipped.reason


def test_it_survives_the_store() -> None:
    found = judge(relaxation(stated=0.003))
    record = to_record(found)
    assert record.kind == "stability" and record.verdict == found.result.verdict
    assert read_spec(record.spec).name == found.spec.name == found.name
    assert read_result(record.result).to_dict() == found.result.to_dict()


def test_it_is_no_run_of_its_own() -> None:
    found = judge(relaxation())
    with pytest.raises(CalculationError, match="runs merge"):
        found.spec.run(None)  # type: ignore[arg-type]
    with pytest.raises(CalculationError, match="relaxed ends"):
        judge(replace(found))
