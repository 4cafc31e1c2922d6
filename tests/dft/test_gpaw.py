"""GPAW itself, on cells of two to four atoms at settings that are quick and of no use."""

from pathlib import Path

import pytest

from core.calculations.kinds.dft import DftResult, DftSpec
from core.dft import Level, calculate, dispersion_ev, is_available, metal_crystal, primitive, starts
from core.dft import gpaw_engine as engine
from core.errors import DftError
from core.tasks.folder import RunFolder
from core.tasks.worker import run_job
from tests.dft.crystals import layered

pytestmark = pytest.mark.skipif(not is_available(), reason="GPAW is not installed (make dft)")

QUICK = Level(ecut_ev=300, k_spacing_per_a=2.0, smearing_ev=0.2, spin="high")


def test_a_whole_run_gives_voltage_moments_and_dispersion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGC_RUNS", str(tmp_path))  # whose lock of the CPU this run waits for
    folder = RunFolder.of(DftSpec.planned(layered("Cr"), level=QUICK), tmp_path)
    folder.create(DftSpec.planned(layered("Cr"), level=QUICK))
    job = run_job(folder.path)
    result = job.result
    assert isinstance(result, DftResult), job.error
    assert 1 < result.voltage_v < 6
    assert result.voltage_d3_v is not None and 0.1 < result.voltage_d3_v - result.voltage_v < 0.3
    assert result.discharged.moments_mu_b[result.discharged.crystal.species.index("Cr")] > 1
    assert result.discharged.n_iterations and result.discharged.memory_mb
    kept = {path: path.stat().st_mtime_ns for path in folder.path.glob("*-high.json")}
    assert len(kept) == 2
    (folder.path / "result.json").unlink()
    again = run_job(folder.path)
    assert again.result is not None and again.result.figures() == result.figures()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "no end is computed again"


def test_what_a_listener_raises_ends_it(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def listen(number: int, energy_ev: float, share: float) -> None:
        assert number == 1 and 0 < share < 1
        raise Enough

    cell = metal_crystal("Mg")
    with pytest.raises(Enough):
        calculate(
            cell, QUICK, start="none", moments_mu_b=(0.0, 0.0), log=tmp_path / "it.txt", on_iteration=listen
        )


def test_electrons_that_do_not_settle_get_a_gentler_mixer_then_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = primitive(layered("Cr"))
    moments = starts(cell, "high")["high"]
    monkeypatch.setattr(engine, "_TRIES", ({"maxiter": 2}, {"maxiter": 2, "mixer": {"name": "pulay"}}))
    with pytest.raises(DftError, match=r"did not settle in 4 iterations.*--spin low.*--smearing-ev 0\.4"):
        calculate(cell, QUICK, start="high", moments_mu_b=moments, log=tmp_path / "it.txt")
    monkeypatch.setattr(engine, "_TRIES", ({"maxiter": 2}, {"maxiter": 200}))
    point = calculate(cell, QUICK, start="high", moments_mu_b=moments, log=tmp_path / "it.txt")
    assert "gentler" in point.note and point.n_iterations > 4


def test_dispersion_is_grimmes_two_body_energy() -> None:
    """The reference is what s-dftd3 gives with these parameters by its own interface to ase."""
    dftd3 = pytest.importorskip("dftd3.ase")
    from ase import Atoms

    crystal = layered("Cr")
    atoms = Atoms(crystal.species, cell=crystal.lattice_a, scaled_positions=crystal.frac, pbc=True)
    atoms.calc = dftd3.DFTD3(
        damping="d3bj", params_tweaks={"s6": 1.0, "s8": 0.7875, "a1": 0.4289, "a2": 4.4407, "s9": 0.0}
    )
    assert dispersion_ev(crystal) == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
