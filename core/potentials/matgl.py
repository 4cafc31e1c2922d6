"""M3GNet (doi:10.1038/s43588-022-00349-3) and TensorNet (doi:10.48550/arXiv.2306.06482) by the package matgl.

Package (`requirements-matgl.txt`, an environment of its own) and weights are the user's. matgl reads weights without
unpickling, and refuses files whose parameters are not its network's: those of an older version must be loaded by that
version. Energies are on the scale of the weights' own training set.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ase import Atoms, units

from core.errors import ModelError, PotentialError
from core.potentials.base import DTYPES, Evaluation, Potential, PotentialCard, as_floats, optional_module
from core.potentials.torch_state import torch_state
from core.provenance import sha256_of_files
from core.settings import Settings

FOLDERS: Final = {"m3gnet": "M3GNet-PES", "tensornet": "TensorNet-PES"}
"""The folder of weights of each potential, as `matgl`'s own `save` writes it: model.json, model.pt, state.pt."""

_FILES: Final = ("model.json", "model.pt", "state.pt")
_SOURCES: Final = {"m3gnet": "10.1038/s43588-022-00349-3", "tensornet": "10.48550/arXiv.2306.06482"}


def weights_folder(name: str) -> Path:
    """Return where the weights lie. Raises `PotentialError` that says where they were looked for, and what to do."""
    places = [Settings.from_environment().data / "weights", Path.home() / ".cache" / "matgl"]
    for place in places:
        folder = place / FOLDERS[name]
        if all((folder / it).is_file() for it in _FILES):
            return folder
    raise PotentialError(
        f"{name!r} does not ship: it needs weights, a folder {FOLDERS[name]} in {places[0]} or {places[1]}. With "
        f"matgl: `matgl.load_model(NAME).save(FOLDER)`, NAME being one of its own. Or use 'nequip-mp'."
    )


def _card(name: str) -> PotentialCard:
    folder = weights_folder(name)
    model = _load(name, folder, "float32").model
    return PotentialCard(
        name=name, title=f"{type(model).__name__} by matgl", elements=tuple(sorted(model.element_types)),
        cutoff_a=float(model.cutoff), trained_on="what its weights say: see the model.json beside them",
        energy_scale=f"of the weights in {folder.name}", licence="of its weights; matgl: BSD-3-Clause",
        source=_SOURCES[name], sha256=sha256_of_files(folder / it for it in _FILES),
    )  # fmt: skip


def m3gnet_card() -> PotentialCard:
    """Return the card of M3GNet's weights. Raises `PotentialError` without weights or package, `ModelError`."""
    return _card("m3gnet")


def tensornet_card() -> PotentialCard:
    """Return the card of TensorNet's weights. Raises `PotentialError` without weights or package, `ModelError`."""
    return _card("tensornet")


@contextmanager
def _precision(dtype: str) -> Iterator[Any]:
    """Run a block with matgl's own default type set; `torch_state` sets torch's, which matgl sets too."""
    matgl = _module("matgl")
    before = matgl.float_th
    with torch_state(DTYPES[dtype]):
        matgl.set_default_dtype("float", 64 if dtype == "float64" else 32)
        try:
            yield matgl
        finally:
            matgl.set_default_dtype("float", 64 if before == DTYPES["float64"] else 32)


def _module(name: str) -> Any:
    return optional_module(
        name,
        "M3GNet and TensorNet need the package matgl: make an environment of requirements-matgl.txt, or use "
        "'nequip-mp'.",
    )


def _load(name: str, folder: Path, dtype: str) -> Any:
    with _precision(dtype) as matgl:
        try:
            return matgl.load_model(folder).to(DTYPES[dtype]).eval()
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            raise ModelError(
                f"The weights of {name!r} in {folder} are not those of this version of matgl ({error}). Save them with "
                "the version that they were made by, and install that one."
            ) from error


class MatglPotential(Potential):
    """A potential of matgl: energy, forces and stress; it gives no energies of single atoms."""

    def __init__(self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64") -> None:
        super().__init__(card, device=device, dtype=dtype)
        self._network = _load(card.name, weights_folder(card.name), dtype).to(self.device)
        graphs: Any = _module("matgl.ext.ase").Atoms2Graph
        self._graphs = graphs(self._network.model.element_types, self._network.model.cutoff)

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        with _precision(self.dtype) as matgl:
            graph, lattice, state = self._graphs.get_graph(atoms)
            state = torch.as_tensor(np.asarray(state), dtype=matgl.float_th, device=self.device)
            energy, forces, stress, *_ = self._network(graph.to(self.device), lattice.to(self.device), state)
        return Evaluation(
            energy_ev=float(energy), forces_ev_per_a=as_floats(forces),
            stress_ev_per_a3=as_floats(stress).reshape(3, 3) * units.GPa,
        )  # fmt: skip
