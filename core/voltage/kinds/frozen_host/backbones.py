"""SevenNet-0 and CHGNet as instruments: energies, forces and learned atom vectors of a crystal, in float64.

Both were trained on relaxations of the Materials Project (MPtrj): SevenNet-0 (11Jul2024, doi:10.1021/acs.jctc.4c00190,
MIT licence), whose weights run here in the NequIP framework as `nequip-mp`, and CHGNet 0.3.0
(doi:10.1038/s42256-023-00716-3, BSD licence), whose weights lie inside its wheel. Their energy scales differ (raw and
MP2020-corrected): energies of the two are never mixed.

Float64, because a voltage is a small difference of large energies: in float32 the same crystal written as a supercell
differs by some 1e-5 V.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StructureError
from core.potentials import Potential, load_potential
from core.potentials.base import DTYPES
from core.potentials.chgnet import load_network
from core.potentials.torch_state import torch_state
from core.records import Crystal

Floats = NDArray[np.float64]
SEVENNET_VECTOR = 128
CHGNET_VECTOR = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SevenNetState:
    """`energy_ev` of the cell; `vectors`: (n_sites, 128) invariant atom features before the readout."""

    energy_ev: float
    site_energies_ev: Floats
    vectors: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ChgnetState:
    """`energy_ev` of the cell; (n_sites,) |magnetic moments|, Bohr magnetons; (n_sites, 64) atom features.

    `forces_ev_per_a`: (n_sites, 3) and `stress_gpa`: (3, 3), or None where they were not asked for.
    """

    energy_ev: float
    magmoms: Floats
    vectors: Floats
    site_energies_ev: Floats
    forces_ev_per_a: Floats | None = None
    stress_gpa: Floats | None = None


class SevenNetBackbone:
    """SevenNet-0 run as the NequIP model `nequip-mp`: energies and atom vectors only."""

    def __init__(self, potential: Potential | None = None) -> None:
        """Take `nequip-mp` in another precision, or load it in float64."""
        self._potential = load_potential("nequip-mp", device="cpu") if potential is None else potential

    def __call__(self, crystal: Crystal) -> SevenNetState:
        """Return the state of one crystal; one that the potential does not know is a `StructureError`."""
        found = _understood("SevenNet-0", crystal, lambda: self._potential.describe(crystal))
        return SevenNetState(
            energy_ev=found.energy_ev, site_energies_ev=found.site_energies_ev, vectors=found.vectors
        )


class ChgnetBackbone:
    """CHGNet 0.3.0."""

    def __init__(self, *, dtype: str = "float64") -> None:
        self._dtype = DTYPES[dtype]
        self._model = load_network(device="cpu", dtype=dtype)

    def __call__(self, crystal: Crystal, *, forces: bool) -> ChgnetState:
        """Return the state of one crystal, with forces and stress when asked for. Raises `StructureError`."""
        with torch_state(self._dtype):
            output = _understood("CHGNet", crystal, lambda: self._predict(crystal, forces))
        return ChgnetState(
            energy_ev=float(output["e"]) * crystal.n_sites,
            magmoms=output["m"],
            vectors=output["atom_fea"],
            site_energies_ev=output["site_energies"],
            forces_ev_per_a=output.get("f"),
            stress_gpa=output.get("s"),
        )

    def _predict(self, crystal: Crystal, forces: bool) -> dict[str, Any]:
        graph = self._model.graph_converter(crystal.to_pymatgen())
        for name in ("atom_frac_coord", "lattice", "neighbor_image"):
            setattr(
                graph,
                name,
                getattr(graph, name).detach().to(self._dtype).requires_grad_(name != "neighbor_image"),
            )
        output: dict[str, Any] = self._model.predict_graph(
            graph, task="efsm" if forces else "em", return_atom_feas=True, return_site_energies=True
        )
        return output


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbones:
    """Both potentials, ready to run."""

    sevennet: SevenNetBackbone
    chgnet: ChgnetBackbone

    @classmethod
    def load(cls) -> "Backbones":
        """Load the weights from the installed packages."""
        return cls(sevennet=SevenNetBackbone(), chgnet=ChgnetBackbone())


_NOT_TAKEN = (RuntimeError, ValueError, KeyError, IndexError)
"""What potentials raise for structures that they cannot take. A `TypeError` or `AttributeError` is a mistake of ours,
and must not pass for the structure's."""


def _understood(potential: str, crystal: Crystal, run: Any) -> Any:
    """Run a potential; what it cannot take becomes a reason for the user."""
    try:
        return run()
    except _NOT_TAKEN as error:
        raise StructureError(
            f"{crystal.formula}: {potential} cannot describe this structure ({type(error).__name__}: {error}). "
            "Check elements and distances, or use --model cgcnn."
        ) from None
