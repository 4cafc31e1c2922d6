"""SevenNet-0 (11Jul2024) by its own package: the reference that `nequip-mp` is tested against.

Weights lie in the `sevenn` wheel (MIT; doi:10.1021/acs.jctc.4c00190). The package is optional: nothing else needs it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ase import Atoms
from ase.data import chemical_symbols

from core.potentials.base import (
    DTYPES,
    Capabilities,
    Description,
    Evaluation,
    Potential,
    PotentialCard,
    as_floats,
    optional_module,
)
from core.potentials.torch_state import torch_state
from core.provenance import sha256_of_file

NAME: Final = "sevennet-0"
DOI: Final = "10.1021/acs.jctc.4c00190"
LICENCE: Final = "MIT"
TRAINED_ON: Final = "MPtrj: 1.58 million frames of Materials Project relaxations, PBE(+U)"
ENERGY_SCALE: Final = "PBE(+U) of the Materials Project, uncorrected"
_CHECKPOINT_NAME: Final = "7net-0"
_FORCE: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def checkpoint_path() -> Path:
    """Return the checkpoint inside the installed wheel."""
    return Path(sevenn_module("sevenn.util").pretrained_name_to_path(_CHECKPOINT_NAME))


def read_checkpoint() -> tuple[dict[str, Any], torch.nn.Module]:
    """Return the checkpoint's configuration and its network in float32, which the package insists on."""
    with torch_state(torch.float32), _nothing_unpickled():
        stored = sevenn_module("sevenn.checkpoint").SevenNetCheckpoint(str(checkpoint_path()))
        return stored.config, stored.build_model()


@contextlib.contextmanager
def _nothing_unpickled() -> Iterator[None]:
    """Have torch refuse all but tensors and numpy arrays, where the package asks it to unpickle whatever is there."""
    before = os.environ.get(_FORCE)
    allowed: list[Any] = [
        np.ndarray, np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType, np.dtypes.Int64DType,
        (np.core.multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),  # type: ignore[attr-defined]
    ]  # fmt: skip
    os.environ[_FORCE] = "1"
    try:
        with torch.serialization.safe_globals(allowed):
            yield
    finally:
        os.environ.pop(_FORCE, None) if before is None else os.environ.update({_FORCE: before})


def read_card() -> PotentialCard:
    """Return the card, from the checkpoint in the wheel."""
    with _nothing_unpickled():
        config = sevenn_module("sevenn.checkpoint").SevenNetCheckpoint(str(checkpoint_path())).config
    return PotentialCard(
        name=NAME,
        title="SevenNet-0 (11Jul2024)",
        elements=tuple(sorted(chemical_symbols[number] for number in config["_type_map"])),
        cutoff_a=float(config["cutoff"]),
        trained_on=TRAINED_ON,
        energy_scale=ENERGY_SCALE,
        licence=LICENCE,
        source=DOI,
        sha256=sha256_of_file(checkpoint_path()),
        capabilities=Capabilities(describes=True),
    )


def sevenn_module(name: str) -> Any:
    """Return a module of the optional package; its absence is a `PotentialError` that says what to do."""
    return optional_module(
        name,
        f"{NAME!r} needs the package sevenn, which is not installed; use 'nequip-mp' (same weights, same numbers) "
        "or install it with `pip install sevenn==0.13.0`.",
    )


class SevenNetPotential(Potential):
    """SevenNet-0 run by `sevenn`; in float64 the distances are too, which the package's own calculator rounds."""

    def __init__(self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64") -> None:
        super().__init__(card, device=device, dtype=dtype)
        network = read_checkpoint()[1].eval()
        network.set_is_batch_data(False)  # type: ignore[operator]
        self._network = network.to(device=self.device, dtype=DTYPES[dtype])
        self._vectors = torch.zeros(0)
        parts: Any = self._network._modules
        parts["onehot_idx_to_onehot"].register_forward_hook(self._widen)
        parts["reduce_input_to_hidden"].register_forward_pre_hook(self._keep_vectors)

    def _widen(self, _module: torch.nn.Module, _inputs: Any, data: Any) -> Any:
        # The package makes its one-hot vectors in float32 whatever the default is.
        for key in ("x", "node_attr"):
            if torch.is_tensor(data[key]) and data[key].is_floating_point():
                data[key] = data[key].to(DTYPES[self.dtype])
        return data

    def _keep_vectors(self, _module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        self._vectors = inputs[0]["x"].detach().clone()

    def _run(self, atoms: Atoms) -> Any:
        arrays = sevenn_module("sevenn.train.dataload").unlabeled_atoms_to_graph(atoms, self.card.cutoff_a)
        exact = {name: np.array(arrays[name]) for name in ("pos", "edge_vec", "cell_volume")}
        graph = sevenn_module("sevenn.atom_graph_data").AtomGraphData.from_numpy_dict(arrays)
        for name, values in exact.items():
            graph[name] = torch.as_tensor(values, dtype=DTYPES[self.dtype])
        graph.to(self.device)
        return self._network(graph)

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        out = self._run(atoms)
        # The package gives xx, yy, zz, xy, yz, zx of the stress with the opposite sign.
        xx, yy, zz, xy, yz, zx = -as_floats(out["inferred_stress"]).reshape(6)
        return Evaluation(
            energy_ev=float(out["inferred_total_energy"]),
            site_energies_ev=as_floats(out["atomic_energy"])[:, 0],
            forces_ev_per_a=as_floats(out["inferred_force"]),
            stress_ev_per_a3=np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]]),
        )

    def _describe(self, atoms: Atoms) -> Description:
        with torch.enable_grad():  # its network ends in forces
            out = self._run(atoms)
        return Description(
            site_energies_ev=as_floats(out["atomic_energy"])[:, 0], vectors=as_floats(self._vectors)
        )
