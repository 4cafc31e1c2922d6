"""Every quantity once: what is shown has a name, a unit that fits it, words and a format."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest

from core import quantities
from core.cli.mlmd import _LIST_COLUMNS
from core.quantities import QUANTITIES, scientific, significant, unit_of
from core.records import Capacity, Conductivity, Electrode, VoltagePrediction
from core.service.calculations import ROW_COLUMNS
from core.service.predict import COLUMNS
from core.service.screen import REASONS, Chances
from core.store import SCREEN_COLUMNS

APP = Path(__file__).resolve().parent.parent / "app"


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(SCREEN_COLUMNS, id="screening"),
        pytest.param(
            [*(field.name for field in fields(Chances)), "on_pareto_front", "n_for", "n_against", *REASONS],
            id="export",
        ),
        pytest.param(COLUMNS, id="predict"),
        pytest.param(_LIST_COLUMNS, id="molecular dynamics"),
        pytest.param(ROW_COLUMNS, id="runs"),
        *(
            pytest.param([field.name for field in fields(record)], id=record.__name__)
            for record in (VoltagePrediction, Capacity, Conductivity, Electrode)
        ),
    ],
)
def test_every_column_of_a_csv_and_every_field_of_a_result_is_a_quantity(shown: Iterable[str]) -> None:
    assert [name for name in shown if name not in QUANTITIES] == []


def test_streamlit_columns_are_made_in_one_place() -> None:
    makers = {path.name for path in APP.rglob("*.py") if "column_config." in path.read_text()}
    assert makers == {"columns.py"}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("voltage_v", "V"), ("voltage_low_v", "V"), ("capacity_vol_ah_per_l", "Ah/L"), ("sigma_ms_per_cm", "mS/cm"),
        ("capacity_redox_grav_mah_per_g", "mAh/g"), ("e_above_hull_ev_per_atom", "eV/atom"), ("d_cm2_per_s", "cm²/s"),
        ("teacher_force_mae_ev_per_a", "eV/Å"), ("temperature_k", "K"), ("simulated_ps", "ps"), ("eta_s", "s"),
        ("time_step_fs", "fs"), ("volume_a3", "Å³"), ("msd_x_a2", "Å²"), ("ion_distance_a", "Å"), ("barrier_ev", "eV"),
        ("drift_mev_per_atom_per_ps", "meV/atom/ps"), ("p_percent", "%"), ("price_usd_per_kg", "USD/kg"),
        ("atom_steps_per_s", "atom-steps/s"),
        ("n_seeds", ""), ("rank", ""), ("formula", ""), ("p_voltage", ""), ("sigma_verdict", ""),
    ],
)  # fmt: skip
def test_the_end_of_a_name_is_its_unit(name: str, unit: str) -> None:
    assert unit_of(name) == unit


@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=lambda it: it.name)
def test_a_quantity_says_what_it_is(quantity) -> None:
    assert quantity.label and quantity.head and quantity.help.endswith(".")
    assert (quantity.kind == "number") == bool(quantity.format)
    if quantity.unit:
        assert quantity.axis == f"{quantity.label} ({quantity.unit})"
        assert quantity.text(1.5).endswith(quantity.unit)
    else:
        assert unit_of(quantity.name) == "" and "(" not in quantity.axis


def test_no_name_stands_twice() -> None:
    names = [it.name for it in quantities.ALL]
    assert len(names) == len(set(names))


def test_values_as_people_read_them() -> None:
    voltage, capacity = QUANTITIES["voltage_v"], QUANTITIES["capacity_vol_ah_per_l"]
    assert voltage.text(2.8651) == "2.87 V"
    assert voltage.text(None) == "not known" and voltage.text(float("nan"), missing="none") == "none"
    assert voltage.between(2.41, 3.32) == "2.41 to 3.32 V" and voltage.between(None, 3.32) == ""
    assert voltage.axis_of(" vs Mg") == "Predicted voltage vs Mg (V)" and voltage.head == "Voltage (V)"
    assert capacity.text(1113.2) == "1,113 Ah/L"
    assert QUANTITIES["d_cm2_per_s"].text(1.26e-5) == "1.26×10⁻⁵ cm²/s"
    assert QUANTITIES["sigma_ms_per_cm"].text(1234.5) == "1,230 mS/cm"
    assert QUANTITIES["n_sites"].text(1400) == "1,400" and QUANTITIES["p_all"].text(0.857) == "86 %"
    assert QUANTITIES["in_domain"].text(False) == "no" and QUANTITIES["formula"].text("MgO") == "MgO"


def test_what_is_predicted_is_never_certain() -> None:
    told = [QUANTITIES["p_all"].text(p) for p in (0.0, 0.004, 0.5, 0.99, 0.9999, 1.0, None)]
    assert told == ["0 %", "< 1 %", "50 %", "99 %", "> 99 %", "> 99 %", "not known"]
    assert QUANTITIES["fraction"].text(1.0) == "100%"


def test_significant_and_scientific_numbers() -> None:
    assert [significant(value) for value in (0, 0.0123, 1.26, 140.3, 1263.0)] == [
        "0",
        "0.012",
        "1.3",
        "140",
        "1,300",
    ]
    assert significant(1.26e-5) == scientific(1.26e-5) == "1.3×10⁻⁵"
    assert scientific(1.26e4, 3) == "1.26×10⁴"
