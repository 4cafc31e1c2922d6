"""Writes vasprun.xml as VASP 6.3 does, cut down to what is read of it.

The frame (tags, names, types, order) follows a file of VASP 6.3.0 that ase ships among its tests
(ase/test/testdata/vasp/vasprun_pstress.xml); energies and structure are made up. Eigenvalues, densities of states and
most parameters are left out.
"""

from pathlib import Path

import numpy as np

from core.records import Crystal

_TEXT = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator>
  <i name="program" type="string">vasp </i>
  <i name="version" type="string">6.3.0  </i>
 </generator>
 <incar>
  <i name="ENCUT">    {ecut:.8f}</i>
{incar} </incar>
 <kpoints>
  <generation param="Gamma">
   <v type="int" name="divisions">       3        3        3 </v>
   <v name="usershift">      0.00000000       0.00000000       0.00000000 </v>
   <v name="genvec1">      0.33333333       0.00000000       0.00000000 </v>
   <v name="genvec2">      0.00000000       0.33333333       0.00000000 </v>
   <v name="genvec3">      0.00000000       0.00000000       0.33333333 </v>
   <v name="shift">      0.00000000       0.00000000       0.00000000 </v>
  </generation>
  <varray name="kpointlist" >
   <v>       0.00000000       0.00000000       0.00000000 </v>
  </varray>
  <varray name="weights" >
   <v>       1.00000000 </v>
  </varray>
 </kpoints>
 <parameters>
  <separator name="electronic" >
   <i name="ENMAX">    {ecut:.8f}</i>
   <i type="int" name="NELM">   {nelm}</i>
  </separator>
  <separator name="ionic" >
   <i type="int" name="NSW">    {nsw}</i>
   <i type="int" name="IBRION">     2</i>
   <i name="EDIFFG">      0.00100000</i>
  </separator>
{parameters} </parameters>
 <atominfo>
  <atoms>       {n} </atoms>
  <types>       {n_types} </types>
  <array name="atoms" >
   <dimension dim="1">ion</dimension>
   <field type="string">element</field>
   <field type="int">atomtype</field>
   <set>
{atoms}   </set>
  </array>
  <array name="atomtypes" >
   <dimension dim="1">type</dimension>
   <field type="int">atomspertype</field>
   <field type="string">element</field>
   <field>mass</field>
   <field>valence</field>
   <field type="string">pseudopotential</field>
   <set>
{types}   </set>
  </array>
 </atominfo>
 <structure name="initialpos" >
{structure} </structure>
{calculations} <structure name="finalpos" >
{structure} </structure>
</modeling>
"""
_VDW = """  <separator name="vdW DFT" >
   <i type="int" name="IVDW">    12</i>
  </separator>
"""
_STEP = """  <scstep>
   <energy>
    <i name="e_fr_energy">    {energy:.8f} </i>
    <i name="e_wo_entrp">    {energy:.8f} </i>
    <i name="e_0_energy">    {energy:.8f} </i>
   </energy>
  </scstep>
"""


def write_vasprun(
    folder: Path, crystal: Crystal, energy_ev: float, *, ecut_ev: float = 520.0, d3: bool = False, n_ionic: int = 2,
    n_electronic: int = 3, nsw: int = 99, nelm: int = 100, u_ev: dict[str, float] | None = None,
) -> None:  # fmt: skip
    order = sorted(range(crystal.n_sites), key=lambda site: crystal.species[site])
    species = [crystal.species[site] for site in order]
    kinds = list(dict.fromkeys(species))
    incar = "".join(
        [
            '  <i type="logical" name="LDAU"> T  </i>\n' if u_ev else "",
            f'  <v name="LDAUU">{"".join(f"{u_ev.get(kind, 0):14.8f}" for kind in kinds)}</v>\n'
            if u_ev
            else "",
            '  <i type="int" name="IVDW">    12</i>\n' if d3 else "",
        ]
    )
    calculation = (
        " <calculation>\n" + _STEP.format(energy=energy_ev) * n_electronic
        + f'  <structure>\n{_structure(crystal, order)}  </structure>\n  <varray name="forces" >\n'
        + "   <v>       0.00000000       0.00000000       0.00000000 </v>\n" * crystal.n_sites
        + "  </varray>\n"
        + _STEP.format(energy=energy_ev).replace("  <scstep>\n", "").replace("  </scstep>\n", "")
        + " </calculation>\n"
    )  # fmt: skip
    text = _TEXT.format(
        ecut=ecut_ev, incar=incar, nelm=nelm, nsw=nsw, n=crystal.n_sites, n_types=len(kinds),
        parameters=_VDW if d3 else "",
        atoms="".join(f"    <rc><c>{it:2}</c><c>{kinds.index(it) + 1:4}</c></rc>\n" for it in species),
        types="".join(
            f"    <rc><c>{species.count(it):4}</c><c>{it:2}</c><c>     10.00000000</c><c>      6.00000000</c>"
            f"<c>  PAW_PBE {it} 06Sep2000                     </c></rc>\n"
            for it in kinds
        ),
        structure=_structure(crystal, order), calculations=calculation * n_ionic,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vasprun.xml").write_text(text, encoding="ISO-8859-1")


def _structure(crystal: Crystal, order: list[int]) -> str:
    def lines(vectors: object) -> str:
        return "".join(f"    <v> {x:16.8f} {y:16.8f} {z:16.8f} </v>\n" for x, y, z in np.asarray(vectors))

    return (
        f'  <crystal>\n   <varray name="basis" >\n{lines(crystal.lattice_a)}   </varray>\n'
        f'   <i name="volume"> {crystal.volume_a3:16.8f} </i>\n'
        f'   <varray name="rec_basis" >\n{lines(np.linalg.inv(crystal.lattice_a).T)}   </varray>\n  </crystal>\n'
        f'  <varray name="positions" >\n{lines(crystal.frac[order])}  </varray>\n'
    )
