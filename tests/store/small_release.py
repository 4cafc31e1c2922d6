"""A release of a handful of hand-made crystals, for tests of the store and of what reads it."""

from functools import cache
from pathlib import Path

import numpy as np

from core.capacity import capacity
from core.provenance import Provenance
from core.records import CalculationRecord, Conductivity, Crystal, Electrode, Skipped, VoltagePrediction
from core.store import Release, ReleaseWriter
from core.store.rows import conductivity_record

MODEL_SHA256 = "ab" * 32
DATA_SHA256 = "cd" * 32


def _crystal(
    id: str, formula: str, cell_a: float, sites: list[tuple[str, tuple[float, float, float]]]
) -> Crystal:
    gnome = id.startswith("gnome")
    return Crystal(
        id=id, formula=formula, lattice_a=np.eye(3) * cell_a, species=tuple(symbol for symbol, _ in sites),
        frac=np.array([position for _, position in sites]), source="GNoME" if gnome else "Materials Project",
        license="CC BY-NC 4.0" if gnome else "CC BY 4.0", spacegroup="Fm-3m",
        e_above_hull_ev_per_atom=None if gnome else 0.01, working_ion="Mg",
    )  # fmt: skip


def _rock_salt(id: str, formula: str, cell_a: float, metals: str) -> Crystal:
    cations = [(0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)]
    anions = [(0.5, 0.5, 0.5), (0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5)]
    sites = [*zip(metals.split(), cations, strict=True), *(("O", position) for position in anions)]
    return _crystal(id, formula, cell_a, sites)


@cache
def spinel() -> Crystal:
    """MgMn2O4 as a cubic spinel, 56 sites, from its space group (origin choice 1)."""
    from pymatgen.core import Lattice, Structure

    host = Structure.from_spacegroup(
        "Fd-3m",
        Lattice.cubic(8.6),
        ["Mg", "Mn", "O"],
        [[0, 0, 0], [0.625, 0.625, 0.625], [0.3875, 0.3875, 0.3875]],
    )
    sites = [(str(site.specie), tuple(site.frac_coords % 1.0)) for site in host]
    return _crystal("mp-32006", "MgMn2O4", 8.6, sites)


def crystals() -> list[Crystal]:
    """A spinel, three rock salts and an intermetallic; one of GNoME."""
    return [
        spinel(),
        _rock_salt("mp-1", "MgO", 4.21, "Mg Mg Mg Mg"),
        _rock_salt("mp-2", "MgMnO2", 4.35, "Mg Mn Mg Mn"),
        _rock_salt("gnome-3", "MgFeO2", 4.3, "Mg Fe Mg Fe"),
        _crystal("gnome-4", "MgCu", 3.2, [("Mg", (0.0, 0.0, 0.0)), ("Cu", (0.5, 0.5, 0.5))]),
    ]


VOLTAGES_V = {"mp-32006": 3.2, "mp-1": 0.1, "mp-2": 2.4, "gnome-3": 3.6}


def prediction(crystal: Crystal) -> VoltagePrediction:
    """A given voltage with a spread of 0.3 V, or a failure where none is given."""
    voltage_v = VOLTAGES_V.get(crystal.id)
    if voltage_v is None:
        return VoltagePrediction.failed(
            id=crystal.id,
            formula=crystal.formula,
            working_ion="Mg",
            error="too far from every labelled electrode",
        )
    return VoltagePrediction(
        id=crystal.id, formula=crystal.formula, working_ion="Mg", voltage_v=voltage_v, voltage_std_v=0.3,
        voltage_low_v=voltage_v - 0.5, voltage_high_v=voltage_v + 0.5, in_domain=crystal.id != "mp-1",
    )  # fmt: skip


def electrode(battery_id: str, id_discharge: str, voltage_v: float = 2.86) -> Electrode:
    return Electrode(
        battery_id=battery_id, working_ion="Mg", average_voltage_v=voltage_v, formula_discharge="MgMn2O4",
        formula_charge="MnO2", id_discharge=id_discharge, id_charge="mp-25545", host_formula="MnO2", voltage_check="ok",
        capacity_grav_mah_per_g=270.5, capacity_vol_ah_per_l=1113.2,
    )  # fmt: skip


def conductivity(run_id: str, id: str, **changes: object) -> Conductivity:
    fields: dict[str, object] = {
        "run_id": run_id, "id": id, "working_ion": "Mg", "potential": "test", "protocol": "quick",
        "temperature_k": 1200.0, "n_atoms": 109, "n_working_ions": 13, "n_seeds": 3, "simulated_ps": 60.0,
        "verdict": "diffusive", "created": "2026-01-01T00:00:00+00:00", "d_cm2_per_s": 1e-5, "d_low_cm2_per_s": 5e-6,
        "d_high_cm2_per_s": 2e-5, "sigma_ms_per_cm": 150.0, "sigma_low_ms_per_cm": 75.0, "sigma_high_ms_per_cm": 300.0,
    }  # fmt: skip
    return Conductivity(**(fields | changes))  # type: ignore[arg-type]


def conductivity_calculation(run_id: str, id: str, **changes: object) -> CalculationRecord:
    """The same as a calculation, pooled from three runs."""
    return conductivity_record(
        conductivity(run_id, id, **changes), formula="MgMnO2", provenance=Provenance(kind="mlmd", seeds=(0, 1, 2)),
        runs=[f"{run_id}-s{seed}" for seed in range(3)],
    )  # fmt: skip


def fill(writer: ReleaseWriter) -> str:
    """Add everything but conductivities; return the provenance id."""
    made_by = writer.add_provenance(Provenance(kind="test", model_name="test", seed=7))
    made = crystals()
    writer.add_candidates(made, working_ion="Mg", provenance_id=made_by)
    writer.add_voltage_predictions([prediction(it) for it in made], provenance_id=made_by)
    writer.add_capacities({it.id: capacity(it, "Mg", 2) for it in made}, provenance_id=made_by)
    writer.add_electrodes(
        [electrode("b-1", "mp-32006"), electrode("b-2", "mp-9", 1.5)], provenance_id=made_by
    )
    writer.add_nearest_electrodes({"mp-32006": [("b-1", 0.0), ("b-2", 1.25)]}, provenance_id=made_by)
    writer.add_skipped([Skipped(id="mp-7", reason="duplicate"), Skipped(id="mp-8", reason="duplicate")],
                       provenance_id=made_by)  # fmt: skip
    return made_by


def make_release(folder: Path, version: str = "1") -> Release:
    """Write a whole small release into a folder."""
    with ReleaseWriter(folder, version=version) as writer:
        fill(writer)
        return writer.publish(model_name="test", model_sha256=MODEL_SHA256, data_sha256=DATA_SHA256)
