"""Inputs for VASP on another machine: both ends of an electrode and the metal, as the Materials Project relaxes them.

pymatgen's `MPRelaxSet` with a cutoff of 520 eV and k points 0.2 per angstrom apart, GGA+U with the values of the
Materials Project, D3 with the damping of Becke and Johnson where it is asked for. POTCAR is named (POTCAR.spec), never
written: it is under VASP's licence. `manifest.json` tells `core.dft.vasp_outputs` what lies where.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.artifacts import write_json, write_text
from core.codec import to_json
from core.dft.metals import metal_crystal
from core.errors import DftError
from core.records import Crystal

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
SETTINGS: Final[Mapping[str, Any]] = {"ENCUT": 520, "KSPACING": 0.2, "KGAMMA": True}
D3_SETTINGS: Final[Mapping[str, Any]] = {"IVDW": 12}
METAL_SETTINGS: Final[Mapping[str, Any]] = {"ISMEAR": 1, "SIGMA": 0.2, "LREAL": False}
"""The tetrahedron method of the set gives wrong forces in metals."""

_SLURM: Final = """\
#!/bin/sh
#SBATCH --job-name=cathodes
#SBATCH --array=0-{last}
#SBATCH --ntasks=16
#SBATCH --time=24:00:00
# Before: join the POTCARs that each POTCAR.spec names, in its order, into POTCAR in the same folder
# (pymatgen, with PMG_VASP_PSP_DIR set: pmg potcar --symbols Mg_pv O). A task a folder; one that is done is passed over.
set -eu
set -- {folders}
shift "$SLURM_ARRAY_TASK_ID"
cd "$SLURM_SUBMIT_DIR/$1"
grep -q "</modeling>" vasprun.xml 2>/dev/null && exit 0
srun "${{VASP:-vasp_std}}"
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Electrode:
    """What is to be computed: the crystal that it is about, both ends to start from, and where these come from."""

    crystal: Crystal
    working_ion: str
    discharged: Crystal
    charged: Crystal
    geometry: str


def prepare(electrodes: Sequence[Electrode], folder: Path, *, d3: bool = False) -> list[Path]:
    """Write inputs, `run.slurm` and the manifest into a new or empty folder, and return the folders to compute in.

    Raises `DftError` for nothing to write, several working ions, one id twice, or a folder that holds something.
    """
    ions = {it.working_ion for it in electrodes}
    ids = [it.crystal.id for it in electrodes]
    if len(ions) != 1 or len(set(ids)) != len(ids):
        raise DftError(
            f"{len(ids)} electrodes, {len(set(ids))} ids, working ions {', '.join(sorted(ions)) or 'none'}; name one "
            "or more, each once, of one working ion."
        )
    if folder.exists() and any(folder.iterdir()):
        raise DftError(
            f"{folder} is not empty; name a new folder, so that no input meets the output of another."
        )
    (ion,) = ions
    settings = {**SETTINGS, **(D3_SETTINGS if d3 else {})}
    metal = f"metal-{ion}"
    _write(folder / metal, metal_crystal(ion), {**settings, **METAL_SETTINGS})
    folders = [metal]
    for it in electrodes:
        for name, crystal in (("discharged", it.discharged), ("charged", it.charged)):
            folders.append(f"{it.crystal.id}/{name}")
            _write(folder / folders[-1], crystal, settings)
    write_text(folder / "run.slurm", _SLURM.format(last=len(folders) - 1, folders=" ".join(folders)))
    content = {"format": FORMAT, "working_ion": ion, "d3": d3, "metal": metal}
    write_json(folder / MANIFEST, content | {"electrodes": [to_json(it) for it in electrodes]})
    return [folder / name for name in folders]


def _write(folder: Path, crystal: Crystal, settings: Mapping[str, Any]) -> None:
    from pymatgen.io.vasp.sets import BadInputSetWarning, MPRelaxSet

    folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BadInputSetWarning)
        inputs = MPRelaxSet(crystal.to_pymatgen().get_sorted_structure(), user_incar_settings=dict(settings))
        inputs.write_input(str(folder), potcar_spec=True)
    # KSPACING in INCAR decides; a KPOINTS file would overrule it.
    (folder / "KPOINTS").unlink(missing_ok=True)
