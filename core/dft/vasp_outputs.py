"""What VASP has left in a folder that `core.dft.vasp` prepared: energies of converged relaxations, dispersion apart."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.codec import from_json
from core.dft.dispersion import dispersion_ev
from core.dft.vasp import FORMAT, MANIFEST, Electrode
from core.errors import DftError, ExplorerError
from core.records import Crystal, Skipped

_D3BJ: Final = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Output:
    """One converged relaxation. `energy_ev`: without dispersion, whether or not VASP added it; `level` is its own."""

    crystal: Crystal
    energy_ev: float
    dispersion_ev: float
    engine: str
    ecut_ev: float
    k_grid: tuple[int, int, int] | None
    hubbard_u_ev: Mapping[str, float]
    with_d3: bool
    n_ionic_steps: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ElectrodeOutput:
    """Both ends of an electrode and the metal, of one level."""

    electrode: Electrode
    discharged: Output
    charged: Output
    metal: Output


def read_outputs(folder: Path) -> tuple[list[ElectrodeOutput], list[Skipped]]:
    """Return the electrodes whose ends have both converged, and the others with the reason.

    Raises `DftError` where the folder has no manifest of ours, or where the metal is not done.
    """
    manifest = _manifest(folder)
    electrodes = [from_json(Electrode, fields) for fields in manifest["electrodes"]]
    metal = read_output(folder / manifest["metal"])
    found, left_out = [], []
    for it in electrodes:
        try:
            ends = {name: read_output(folder / it.crystal.id / name) for name in ("discharged", "charged")}
            one = ElectrodeOutput(electrode=it, metal=metal, **ends)
            _of_one_level(one)
            found.append(one)
        except ExplorerError as error:
            left_out.append(Skipped(id=it.crystal.id, reason=str(error)))
    return found, left_out


def read_output(folder: Path) -> Output:
    """Return what `vasprun.xml` of a folder says.

    Raises `DftError` where it is absent, torn, or not converged in electrons and ions, or where dftd3, which takes the
    dispersion energy off, is not installed.
    """
    run = _vasprun(folder)
    for what, is_converged in (("electrons", run.converged_electronic), ("ions", run.converged_ionic)):
        if not is_converged:
            raise DftError(
                f"{_place(folder)}: the {what} did not converge in {len(run.ionic_steps)} ionic steps. Copy CONTCAR to "
                "POSCAR and run it again; for electrons, ALGO = All or a smaller AMIX."
            )
    structure = run.final_structure
    crystal = Crystal(
        id=folder.parent.name, formula=structure.composition.reduced_formula,
        lattice_a=np.array(structure.lattice.matrix), species=tuple(site.specie.symbol for site in structure),
        frac=np.array(structure.frac_coords), source="VASP",
    )  # fmt: skip
    with_d3 = int(run.parameters.get("IVDW", run.incar.get("IVDW", 0)) or 0) == _D3BJ
    extra_ev = dispersion_ev(crystal)
    total_ev = float(run.final_energy)
    return Output(
        crystal=crystal, energy_ev=total_ev - extra_ev if with_d3 else total_ev, dispersion_ev=extra_ev,
        engine=f"VASP {run.vasp_version}".strip(), ecut_ev=float(run.parameters["ENMAX"]),
        k_grid=_k_grid(run), hubbard_u_ev=_hubbard(run), with_d3=with_d3, n_ionic_steps=len(run.ionic_steps),
    )  # fmt: skip


def _vasprun(folder: Path) -> Any:
    from pymatgen.io.vasp.outputs import Vasprun

    path = next((it for it in (folder / "vasprun.xml", folder / "vasprun.xml.gz") if it.is_file()), None)
    if path is None:
        raise DftError(
            f"{_place(folder)} holds no vasprun.xml: it has not run, or not where it was prepared."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Vasprun(str(path), parse_dos=False, parse_eigen=False, parse_potcar_file=False)
    except Exception as error:  # pymatgen lets through whatever its XML reader meets
        raise DftError(
            f"{_place(folder)}: vasprun.xml cannot be read ({type(error).__name__}: {error}); VASP was stopped while "
            "it wrote. Run it again from CONTCAR."
        ) from None


def _k_grid(run: Any) -> tuple[int, int, int] | None:
    divisions = [int(it) for it in np.ravel(run.kpoints.kpts[0])] if run.kpoints.kpts else []
    return (divisions[0], divisions[1], divisions[2]) if len(divisions) == 3 and min(divisions) >= 1 else None


def _hubbard(run: Any) -> dict[str, float]:
    values = run.incar.get("LDAUU") if run.incar.get("LDAU") else None
    kinds = list(dict.fromkeys(run.atomic_symbols))
    return {symbol: float(u) for symbol, u in zip(kinds, values or [], strict=False) if u}


def _of_one_level(one: ElectrodeOutput) -> None:
    """Energies of different cutoffs, or with another U, are never subtracted from one another."""
    outputs = (one.discharged, one.charged, one.metal)
    if len({(it.ecut_ev, it.with_d3) for it in outputs}) > 1:
        raise DftError(
            f"{one.electrode.crystal.id}: cutoffs {[it.ecut_ev for it in outputs]} eV, D3 "
            f"{[it.with_d3 for it in outputs]}; both ends and the metal must share one level. Run them as prepared."
        )
    if one.discharged.hubbard_u_ev != one.charged.hubbard_u_ev:
        raise DftError(
            f"{one.electrode.crystal.id}: U is {dict(one.discharged.hubbard_u_ev)} in one end and "
            f"{dict(one.charged.hubbard_u_ev)} eV in the other; run both as prepared."
        )


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DftError(
            f"{folder} has no readable {MANIFEST} ({error}); name a folder of `dft prepare`."
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DftError(f"{path} is of another form than {FORMAT}; prepare the folder anew with this version.")
    return content


def _place(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"
