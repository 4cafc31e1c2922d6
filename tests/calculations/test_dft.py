"""First principles as a calculation: what it asks and needs, what comes out, what a second sitting keeps.

GPAW itself is met in tests/dft/test_gpaw.py; here its place is taken by made-up energies.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.calculations import Result, Spec, Stopped, read_spec
from core.calculations.kinds import dft as kind
from core.calculations.kinds.dft import DftEnd, DftResult, DftSpec, assemble
from core.calculations.kinds.dft_metal import DftMetalResult, DftMetalSpec
from core.calculations.kinds.relaxation import RelaxationSpec
from core.dft import Level, NotSettledError, Point, primitive
from core.errors import CalculationError, DftError, NoWorkingIonError
from core.provenance import Provenance
from core.records import Crystal
from core.relaxation import without
from tests.calculations.contexts import Here
from tests.dft.crystals import layered, spinel

EV_PER_MG, EV_PER_HOST_ATOM = -5.0, -7.0
METAL_EV = -1.5


class WithMetal(Here):
    """A metal that is done."""

    def needed(self, spec: Spec) -> tuple[Result, Path]:
        assert isinstance(spec, DftMetalSpec)
        return DftMetalResult(
            verdict="calculated", energy_ev=METAL_EV, dispersion_ev=-0.28, level="", k_grid=(12, 12, 7), seconds=1.0,
            provenance=Provenance(kind="dft-metal"),
        ), self.folder  # fmt: skip


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """GPAW's place: an energy an atom, and 0.3 eV more from high-spin moments; which logs were asked for."""
    asked: list[str] = []

    def made_up(
        crystal: Crystal,
        level: Level,
        *,
        start: str,
        moments_mu_b: Sequence[float],
        log: Path,
        on_iteration: Any,
        gentle: bool,
    ) -> Point:
        asked.append(log.stem)
        for number in (1, 2):
            on_iteration(number, -1.0, number / 2)
        n_mg = crystal.count("Mg")
        energy_ev = n_mg * EV_PER_MG + (crystal.n_sites - n_mg) * EV_PER_HOST_ATOM
        return Point(
            crystal=crystal, energy_ev=energy_ev + (0.3 if start == "high" else 0.0),
            dispersion_ev=-0.2 * crystal.n_sites, k_grid=(1, 1, 1), n_k_points=1, start=start,
            total_moment_mu_b=sum(moments_mu_b), moments_mu_b=tuple(moments_mu_b), force_max_ev_per_a=0.1,
            n_iterations=2, seconds=1.5, memory_mb=300.0,
        )  # fmt: skip

    monkeypatch.setattr(kind, "calculate", made_up)
    monkeypatch.setattr(kind, "engine_words", lambda: "GPAW 0.0")
    return asked


def host_of(crystal: Crystal) -> Crystal:
    return without(crystal, [site for site, symbol in enumerate(crystal.species) if symbol == "Mg"])


def test_the_voltage_is_that_of_the_formula(engine: list[str], tmp_path: Path) -> None:
    result = DftSpec.planned(spinel("Cr")).run(WithMetal(tmp_path))
    # Both ends high spin: the cells are equal but for 2 Mg, and 0.3 eV cancels.
    assert result.voltage_v == pytest.approx((2 * METAL_EV - 2 * EV_PER_MG) / 4)
    assert result.voltage_d3_v == pytest.approx(result.voltage_v + (2 * -0.28 + 2 * 0.2) / 4)
    assert result.verdict == "DFT single point", "a result at another's geometry is no validation"
    assert (
        result.discharged.crystal.n_sites == 14
        and result.discharged.n_ions == 2
        and result.charged.n_ions == 0
    )
    assert result.hubbard_u_ev == {"Cr": 3.7} and "U(Cr) 3.7" in result.level
    assert result.figures()["dft_voltage_v"] == result.voltage_v


def test_ends_in_cells_of_different_size_are_scaled_to_one_host(engine: list[str], tmp_path: Path) -> None:
    full = layered("Ni")
    doubled = full.to_pymatgen() * (2, 1, 1)
    charged = host_of(full)
    ends = [
        DftEnd(crystal=crystal, n_ions=n, energy_ev=energy_ev)
        for crystal, n, energy_ev in (
            (Crystal(id="2", formula="MgNiO2", lattice_a=doubled.lattice.matrix.copy(),
                     species=tuple(site.specie.symbol for site in doubled), frac=doubled.frac_coords, source="test"),
             2, -60.0), (charged, 0, -25.0),
        )
    ]  # fmt: skip
    result = assembled(*ends)
    assert result.voltage_v == pytest.approx((2 * -25.0 + 2 * METAL_EV + 60.0) / 4)
    assert result.voltage_d3_v is None, "dispersion that is not known is not taken for none"


def assembled(discharged: DftEnd, charged: DftEnd) -> DftResult:
    return assemble(
        discharged, charged, working_ion="Mg", metal_ev=METAL_EV, metal_dispersion_ev=None, level="", engine="",
        geometry="", is_relaxed=False, hubbard_u_ev={}, provenance=Provenance(kind="dft"),
    )  # fmt: skip


def test_ends_of_two_hosts_are_refused() -> None:
    one, other = layered("Ni"), host_of(layered("Co"))
    with pytest.raises(DftError, match="one host"):
        assembled(
            DftEnd(crystal=one, n_ions=1, energy_ev=-1.0), DftEnd(crystal=other, n_ions=0, energy_ev=-1.0)
        )


def test_the_lower_of_two_spins_is_kept_and_told(engine: list[str], tmp_path: Path) -> None:
    result = DftSpec.planned(layered("Ni")).run(WithMetal(tmp_path))
    assert engine == ["discharged-high", "charged-high", "charged-low"]
    assert result.charged.start == "low" and result.charged.seconds == pytest.approx(3.0)
    assert any("0.300 eV" in note for note in result.notes)


@pytest.mark.parametrize(("stubborn", "n_tries"), [(("high",), 1), (("high", "low"), 2)])
def test_a_start_that_does_not_settle_is_left_out_where_another_does(
    engine: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stubborn: tuple[str, ...],
    n_tries: int,
) -> None:
    tried: list[tuple[str, bool]] = []
    calculated = kind.calculate

    def calculate(crystal: Crystal, level: Level, *, log: Path, gentle: bool, **options: Any) -> Point:
        if log.stem.startswith("charged"):
            tried.append((log.stem, gentle))
            if not gentle and options["start"] in stubborn:
                raise NotSettledError("The electrons did not settle.")
        return calculated(crystal, level, log=log, gentle=gentle, **options)

    monkeypatch.setattr(kind, "calculate", calculate)
    result = DftSpec.planned(layered("Ni")).run(WithMetal(tmp_path))
    assert result.charged.start == "low"
    assert [gentle for _, gentle in tried] == [False, False, True, True][: 2 * n_tries]
    left_out = "From high-spin moments the charged end did not settle."
    assert any(left_out in note for note in result.notes) == (n_tries == 1)


def test_an_end_that_is_done_is_never_computed_again(engine: list[str], tmp_path: Path) -> None:
    spec = DftSpec.planned(layered("Ni"))
    with pytest.raises(Stopped):
        spec.run(WithMetal(tmp_path, stop_after=5))  # in the charged end's second start
    assert engine == ["discharged-high", "charged-high", "charged-low"]
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    assert set(before) == {"discharged-high.json", "charged-high.json"}
    engine.clear()
    result = spec.run(WithMetal(tmp_path))
    assert engine == ["charged-low"]
    assert all((tmp_path / name).stat().st_mtime_ns == time for name, time in before.items())
    whole = spec.run(WithMetal(tmp_path / "other" if (tmp_path / "other").mkdir() is None else tmp_path))
    assert result.voltage_v == whole.voltage_v


def test_progress_grows_to_the_end(engine: list[str], tmp_path: Path) -> None:
    here = WithMetal(tmp_path)
    DftSpec.planned(layered("Ni")).run(here)
    fractions = [row["fraction"] for row in here.rows]
    assert fractions == sorted(fractions) and fractions[0] > 0 and fractions[-1] == pytest.approx(1.0)
    assert [row["step"] for row in here.rows] == list(range(1, len(fractions) + 1))


def test_spec_and_result_read_the_same_from_json(engine: list[str], tmp_path: Path) -> None:
    spec = DftSpec.planned(layered("Ni"), level=Level(ecut_ev=400), charged=host_of(layered("Ni")))
    again = read_spec(json.loads(json.dumps(spec.to_dict())))
    assert isinstance(again, DftSpec) and again.key == spec.key and again.level == spec.level
    result = spec.run(WithMetal(tmp_path))
    fields = json.loads(json.dumps(result.to_dict()))
    assert DftResult.from_dict(fields).to_dict() == fields


def test_what_decides_the_energy_decides_the_key() -> None:
    base = DftSpec.planned(layered("Ni"))
    others = [
        DftSpec.planned(layered("Ni"), level=Level(ecut_ev=400)), DftSpec.planned(layered("Ni"), potential="nequip-mp"),
        DftSpec.planned(layered("Ni"), charged=host_of(layered("Ni"))), DftSpec(crystal=layered("Ni"), engine="vasp"),
    ]  # fmt: skip
    assert len({spec.key for spec in (base, *others)}) == 5


def test_it_needs_the_metal_of_its_cutoff_and_with_a_potential_relaxed_ends() -> None:
    spec = DftSpec.planned(layered("Ni"), level=Level(ecut_ev=400), potential="nequip-mp")
    metal, relaxation = spec.needs()
    assert isinstance(metal, DftMetalSpec) and metal.level.ecut_ev == 400 and metal.crystal.n_sites == 2
    assert isinstance(relaxation, RelaxationSpec)
    assert relaxation.key == RelaxationSpec.planned(layered("Ni"), potential="nequip-mp").key
    other = DftSpec.planned(spinel("Cr"), level=Level(ecut_ev=400)).needs()
    assert [it.key for it in other] == [metal.key], "one metal for all"


def test_what_could_never_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "needed", lambda package: None)
    with pytest.raises(NoWorkingIonError):
        DftSpec.planned(host_of(layered("Ni"))).check()
    with pytest.raises(CalculationError, match="both given"):
        DftSpec.planned(layered("Ni"), charged=host_of(layered("Ni")), potential="nequip-mp").check()
    with pytest.raises(CalculationError, match="dft collect"):
        DftSpec(crystal=layered("Ni"), engine="vasp").check()


def test_without_gpaw_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.dft.available.find_spec", lambda name: None)
    for spec in (DftSpec.planned(layered("Ni")), DftMetalSpec.of("Mg", Level())):
        with pytest.raises(DftError, match="make dft"):
            spec.check()


def test_the_crystal_that_is_kept_is_the_one_that_was_computed(engine: list[str], tmp_path: Path) -> None:
    result = DftSpec.planned(spinel("Cr")).run(WithMetal(tmp_path))
    assert result.discharged.crystal.same_structure(primitive(spinel("Cr")))
