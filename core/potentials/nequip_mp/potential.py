"""The potential `nequip-mp`, from its safetensors file to energies; `sevenn` is not needed."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ase import Atoms
from nequip.data import AtomicDataDict as Keys
from nequip.nn import GraphModel
from torch import Tensor
from vesin import NeighborList

from core.potentials.face import Description, Evaluation, Potential, PotentialCard
from core.potentials.files import fill, read_card_file, read_weights, shipped_folder
from core.potentials.nequip_mp.architecture import Shape, build_network

NAME: Final = "nequip-mp"


def read_card(folder: Path | None = None) -> PotentialCard:
    """Return the card of the shipped weights, or of those in `folder`. Raises `ModelError`."""
    return read_card_file(folder or shipped_folder(), NAME)[0]


def weights_of(network: GraphModel) -> dict[str, Tensor]:
    """Return what training made: all parameters, and the scales and shifts of the elements' energies."""
    named = dict(network.named_parameters())
    named |= {name: value for name, value in network.named_buffers() if name.endswith((".scales", ".shifts"))}
    return named


class NequipMp(Potential):
    """SevenNet-0's weights in nequip's network, with a faster sum over neighbours; files from `folder`."""

    def __init__(
        self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64", folder: Path | None = None
    ) -> None:
        super().__init__(card, device=device, dtype=dtype)
        self._torch_default = torch.float64  # nequip's convention, in single precision too
        folder = folder or shipped_folder()
        shape = Shape.from_dict(read_card_file(folder, NAME)[1]["shape"])
        network = build_network(shape, dtype=dtype)
        fill(weights_of(network), read_weights(folder, NAME, card.sha256), name=NAME)
        self._network = network.to(self.device)
        self._neighbours = NeighborList(cutoff=shape.cutoff_a, full_list=True)
        self._types = np.full(119, -1, dtype=np.int64)
        self._types[Atoms(shape.elements).numbers] = np.arange(len(shape.elements))

    def graph(self, atoms: Atoms) -> dict[str, Tensor]:
        """Return nequip's input for checked atoms: types, positions, cell and all pairs within the cutoff."""
        first, second, shifts = self._neighbours.compute(
            points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="ijS"
        )
        pairs = np.stack([first, second]).astype(np.int64)
        data = {
            Keys.POSITIONS_KEY: torch.from_numpy(atoms.positions),
            Keys.CELL_KEY: torch.from_numpy(atoms.cell.array)[None],
            Keys.ATOM_TYPE_KEY: torch.from_numpy(self._types[atoms.numbers]),
            Keys.EDGE_INDEX_KEY: torch.from_numpy(pairs),
            Keys.EDGE_CELL_SHIFT_KEY: torch.from_numpy(shifts.astype(np.float64)),
        }
        return {key: value.to(self.device) for key, value in data.items()}

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        out = self._network(self.graph(atoms))
        return Evaluation(
            energy_ev=float(out[Keys.TOTAL_ENERGY_KEY]),
            site_energies_ev=_array(out[Keys.PER_ATOM_ENERGY_KEY])[:, 0],
            forces_ev_per_a=_array(out[Keys.FORCE_KEY]),
            stress_ev_per_a3=_array(out[Keys.STRESS_KEY])[0],
        )

    def _describe(self, atoms: Atoms) -> Description:
        energy_model: Any = self._network.model.func
        out = energy_model(self.graph(atoms))
        return Description(
            site_energies_ev=_array(out[Keys.PER_ATOM_ENERGY_KEY])[:, 0],
            vectors=_array(out[Keys.NODE_FEATURES_KEY]),
        )


def _array(values: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    return values.detach().cpu().numpy().astype(np.float64)
