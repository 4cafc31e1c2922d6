"""What all potentials that run in the nequip framework share: their input, what they answer, their shape on disk."""

from dataclasses import asdict
from typing import Any, Self

import numpy as np
import torch
from ase import Atoms
from nequip.data import AtomicDataDict as Keys
from torch import Tensor
from vesin import NeighborList

from core.errors import ModelError
from core.potentials.base import Evaluation, Potential, PotentialCard, as_floats


class StoredShape:
    """Mix-in of the dataclasses that hold a network's hyper-parameters: to JSON and back."""

    __slots__ = ()

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Read a shape back from JSON. Raises `ModelError` where it is of another version of this project."""
        read: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
        }
        try:
            return cls(**read)
        except TypeError as error:
            raise ModelError(
                f"These weights are of another version of this project ({error}): make them anew or take those shipped."
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the shape as JSON holds it."""
        stored: Any = self
        return asdict(stored)


class NequipPotential(Potential):
    """A potential whose `_network` takes nequip's input; subclasses build it and tell its elements and cutoff."""

    _network: Any

    def __init__(self, card: PotentialCard, *, device: str, dtype: str) -> None:
        super().__init__(card, device=device, dtype=dtype)
        self._torch_default = torch.float64  # nequip's convention, in single precision too

    def _see(self, elements: tuple[str, ...], cutoff_a: float) -> None:
        """Set the order of the element types and the range of the pairs."""
        self._neighbours = NeighborList(cutoff=cutoff_a, full_list=True)
        self._types = np.full(119, -1, dtype=np.int64)
        self._types[Atoms(elements).numbers] = np.arange(len(elements))

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
            site_energies_ev=as_floats(out[Keys.PER_ATOM_ENERGY_KEY]).reshape(-1),
            forces_ev_per_a=as_floats(out[Keys.FORCE_KEY]),
            stress_ev_per_a3=as_floats(out[Keys.STRESS_KEY]).reshape(3, 3),
        )
