"""VASP's inputs, and what is read back of its outputs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pymatgen.io.vasp.inputs import Incar, Poscar

from core.calculations.kinds.dft import DftResult
from core.dft import Level, metal_crystal, primitive
from core.dft.vasp import Electrode, prepare
from core.errors import DftError
from core.records import Crystal
from core.relaxation import without
from core.service import dft as service
from tests.dft.crystals import spinel
from tests.dft.vasprun import write_vasprun

pytest.importorskip("dftd3", reason="dftd3 is not installed (make dft)")


def host_of(crystal: Crystal) -> Crystal:
    return without(crystal, [site for site, symbol in enumerate(crystal.species) if symbol == "Mg"])


def electrode(metal: str = "Cr") -> Electrode:
    crystal = primitive(spinel(metal))
    return Electrode(
        crystal=crystal,
        working_ion="Mg",
        discharged=crystal,
        charged=host_of(crystal),
        geometry="from a test",
    )


def done(folder: Path, it: Electrode, *, d3: bool = False, **end: object) -> None:
    """Let VASP have run: made-up energies that mean 3.5 V."""
    u_ev = Level().hubbard_u_ev(it.crystal.species)
    write_vasprun(folder / "metal-Mg", metal_crystal("Mg"), -3.0, d3=d3)
    write_vasprun(folder / it.crystal.id / "discharged", it.discharged, -100.0, d3=d3, u_ev=u_ev)
    write_vasprun(folder / it.crystal.id / "charged", it.charged, -83.0, d3=d3, **{"u_ev": u_ev, **end})


def test_inputs_are_the_papers(tmp_path: Path) -> None:
    folders = prepare([electrode()], tmp_path / "vasp")
    assert [str(it.relative_to(tmp_path / "vasp")) for it in folders] == [
        "metal-Mg", "spinel-Cr/discharged", "spinel-Cr/charged",
    ]  # fmt: skip
    incar = Incar.from_file(folders[1] / "INCAR")
    assert (incar["ENCUT"], incar["KSPACING"], incar["ISIF"], incar["ISPIN"]) == (520, 0.2, 3, 2)
    structure = Poscar.from_file(folders[1] / "POSCAR", check_for_potcar=False).structure
    symbols = list(dict.fromkeys(site.specie.symbol for site in structure))
    assert dict(zip(symbols, incar["LDAUU"], strict=True)) == {"Mg": 0, "Cr": 3.7, "O": 0}
    assert "IVDW" not in incar and "LDAUU" not in Incar.from_file(folders[0] / "INCAR")
    assert Incar.from_file(folders[0] / "INCAR")["ISMEAR"] == 1
    for folder in folders:
        assert {it.name for it in folder.iterdir()} == {"INCAR", "POSCAR", "POTCAR.spec"}
    assert (folders[1] / "POTCAR.spec").read_text().split() == [
        f"{it}{'_pv' if it != 'O' else ''}" for it in symbols
    ]


def test_dispersion_is_asked_for_by_name_and_u_left_out_of_sulfides(tmp_path: Path) -> None:
    oxide = electrode()
    sulfur = tuple("S" if symbol == "O" else symbol for symbol in oxide.crystal.species)
    sulfide = replace(oxide.crystal, species=sulfur, id="sulfide")
    asked = Electrode(
        crystal=sulfide,
        working_ion="Mg",
        discharged=sulfide,
        charged=host_of(sulfide),
        geometry="from a test",
    )
    folders = prepare([asked], tmp_path / "vasp", d3=True)
    incar = Incar.from_file(folders[1] / "INCAR")
    assert incar["IVDW"] == 12 and not any(incar.get("LDAUU", [0]))


def test_the_script_names_every_folder_once(tmp_path: Path) -> None:
    prepare([electrode("Cr"), electrode("Mn")], tmp_path)
    script = (tmp_path / "run.slurm").read_text()
    assert "--array=0-4" in script and "spinel-Mn/charged" in script and "POTCAR" in script
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert len(manifest["electrodes"]) == 2 and manifest["metal"] == "metal-Mg"


def test_nothing_is_written_over_and_nothing_twice(tmp_path: Path) -> None:
    with pytest.raises(DftError, match="each once"):
        prepare([electrode(), electrode()], tmp_path / "new")
    with pytest.raises(DftError, match="0 electrodes"):
        prepare([], tmp_path / "new")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "vasprun.xml").touch()
    with pytest.raises(DftError, match="not empty"):
        prepare([electrode()], tmp_path / "old")


@pytest.mark.parametrize("d3", [False, True])
def test_a_voltage_comes_back_with_and_without_dispersion(tmp_path: Path, d3: bool) -> None:
    it = electrode()
    prepare([it], tmp_path / "vasp", d3=d3)
    done(tmp_path / "vasp", it, d3=d3)
    (job,), left_out = service.collect(tmp_path / "vasp", tmp_path / "runs")
    result = job.result
    assert left_out == [] and isinstance(result, DftResult) and job.state == "finished"
    # (-83 + 2 (-3/2) + 100) / 4 of the energies as they stand: with dispersion in them where VASP added it.
    as_they_stand = result.voltage_d3_v if d3 else result.voltage_v
    assert as_they_stand == pytest.approx(3.5)
    assert result.voltage_d3_v is not None and 0.1 < result.voltage_d3_v - result.voltage_v < 0.25
    assert result.verdict == "DFT relaxed" and result.hubbard_u_ev == {"Cr": 3.7}
    assert "VASP 6.3.0" in result.level and "520 eV" in result.level
    assert result.discharged.k_grid == (3, 3, 3)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"n_electronic": 100}, "electrons did not converge"), ({"n_ionic": 5, "nsw": 5}, "ions did not converge"),
        ({"ecut_ev": 400.0}, "share one level"), ({"u_ev": {"Cr": 3.0}}, "U is"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_left_out_with_the_reason(
    tmp_path: Path, fault: dict[str, object], words: str
) -> None:
    it = electrode()
    prepare([it], tmp_path / "vasp")
    done(tmp_path / "vasp", it, **fault)
    jobs, (left_out,) = service.collect(tmp_path / "vasp", tmp_path / "runs")
    assert jobs == [] and left_out.id == "spinel-Cr" and words in left_out.reason


def test_outputs_that_are_absent_or_torn_are_told(tmp_path: Path) -> None:
    it = electrode()
    prepare([it], tmp_path / "vasp")
    with pytest.raises(DftError, match=r"holds no vasprun\.xml"):
        service.collect(tmp_path / "vasp", tmp_path / "runs")
    done(tmp_path / "vasp", it)
    path = tmp_path / "vasp" / "spinel-Cr" / "charged" / "vasprun.xml"
    path.write_text(path.read_text()[:3000])
    _, (left_out,) = service.collect(tmp_path / "vasp", tmp_path / "runs")
    assert "cannot be read" in left_out.reason
    with pytest.raises(DftError, match="dft prepare"):
        service.collect(tmp_path, tmp_path / "runs")


def test_the_collected_run_reads_the_same_from_disk(tmp_path: Path) -> None:
    it = electrode()
    prepare([it], tmp_path / "vasp")
    done(tmp_path / "vasp", it)
    (job,), _ = service.collect(tmp_path / "vasp", tmp_path / "runs")
    (again,), _ = service.collect(tmp_path / "vasp", tmp_path / "runs")
    assert again.job_id == job.job_id
    assert job.calculation is not None and job.calculation.spec.key == job.spec.key
