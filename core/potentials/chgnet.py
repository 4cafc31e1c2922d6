"""CHGNet 0.3.0 (doi:10.1038/s42256-023-00716-3; modified BSD), whose weights lie in the `chgnet` wheel.

Its energies carry the Materials Project's MP2020 corrections: never compare them with those of `nequip-mp`.
"""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ase import Atoms, units
from pymatgen.core import Structure

from core.potentials.base import DTYPES, Capabilities, Evaluation, Potential, PotentialCard
from core.potentials.torch_state import torch_state
from core.provenance import sha256_of_file

NAME: Final = "chgnet"
_VERSION: Final = "0.3.0"
_CHECKPOINT: Final = f"pretrained/{_VERSION}/chgnet_{_VERSION}_e29f68s314m37.pth.tar"
_NOT_IN_MPTRJ: Final = frozenset({"Po", "At", "Rn", "Fr", "Ra"})
_LAST_ELEMENT: Final = 94


def load_network(*, device: str = "cpu", dtype: str = "float64") -> Any:
    """Return the package's own network, ready for graphs in `dtype`; its weights are read without unpickling.

    For those who need more of it than a `Potential` gives, such as the atoms' feature vectors. Raises `KeyError` for a
    `dtype` other than "float32" and "float64".
    """
    torch_dtype = DTYPES[dtype]
    with torch_state(torch.float32), contextlib.redirect_stdout(io.StringIO()):
        from chgnet.model.model import CHGNet

        stored = torch.load(_checkpoint_path(), map_location="cpu", weights_only=True)
        network: Any = CHGNet.from_dict(stored["model"], mlp_out_bias=False, version=_VERSION)
    network.graph_converter.set_isolated_atom_response("ignore")
    # The composition model counts elements in float32 whatever the default is.
    network.composition_model.fc.register_forward_pre_hook(
        lambda _module, inputs: (inputs[0].to(torch_dtype),)
    )
    return network.to(device=device, dtype=torch_dtype)


def read_card() -> PotentialCard:
    """Return the card, with the test errors that the wheel's README states."""
    from ase.data import chemical_symbols

    known = (symbol for symbol in chemical_symbols[1 : _LAST_ELEMENT + 1] if symbol not in _NOT_IN_MPTRJ)
    return PotentialCard(
        name=NAME,
        title=f"CHGNet {_VERSION}",
        elements=tuple(sorted(known)),
        cutoff_a=6.0,
        trained_on="MPtrj: 1.58 million frames of Materials Project relaxations, PBE(+U)",
        energy_scale="PBE(+U) of the Materials Project with MP2020 corrections",
        licence="Modified BSD (University of California, through Lawrence Berkeley National Laboratory)",
        source="10.1038/s42256-023-00716-3",
        sha256=sha256_of_file(_checkpoint_path()),
        errors={"energy_mae_ev_per_atom": 0.029, "force_mae_ev_per_a": 0.068, "stress_mae_gpa": 0.314},
        errors_of="MPtrj test split, stated by its authors",
        capabilities=Capabilities(has_magnetic_moments=True),
    )


def _checkpoint_path() -> Path:
    with torch_state(torch.float32):
        import chgnet
    return Path(str(chgnet.__file__)).parent / _CHECKPOINT


class ChgnetPotential(Potential):
    """CHGNet 0.3.0 with the sizes of the atoms' magnetic moments; their signs it does not know."""

    def __init__(self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64") -> None:
        super().__init__(card, device=device, dtype=dtype)
        self._network = load_network(device=self.device, dtype=dtype)

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        structure = Structure(
            atoms.cell.array, atoms.get_chemical_symbols(), atoms.get_scaled_positions(wrap=False)
        )
        out = self._network.predict_graph(self._graph(structure), task="efsm", return_site_energies=True)
        return Evaluation(
            energy_ev=float(out["e"]) * len(atoms),
            site_energies_ev=np.asarray(out["site_energies"], dtype=np.float64),
            forces_ev_per_a=np.asarray(out["f"], dtype=np.float64),
            stress_ev_per_a3=np.asarray(out["s"], dtype=np.float64) * units.GPa,
            magnetic_moments_mu_b=np.asarray(out["m"], dtype=np.float64),
        )

    def _graph(self, structure: Structure) -> Any:
        """The package's graph, its float32 coordinates replaced by those of the structure."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = self._network.graph_converter(structure)
        dtype = DTYPES[self.dtype]
        graph.atom_frac_coord = torch.tensor(structure.frac_coords, dtype=dtype, requires_grad=True)
        graph.lattice = torch.tensor(structure.lattice.matrix, dtype=dtype, requires_grad=True)
        graph.neighbor_image = graph.neighbor_image.to(dtype)
        return graph
