"""SevenNet-0 and CHGNet as instruments: energies, forces and learned atom vectors of a crystal, in float64.

Both were trained on relaxations of the Materials Project (MPtrj) and come with their weights inside their wheels:
SevenNet-0 (11Jul2024, doi:10.1021/acs.jctc.4c00190, MIT licence) and CHGNet 0.3.0 (doi:10.1038/s42256-023-00716-3,
BSD licence). Their energy scales differ (raw and MP2020-corrected): energies of the two are never mixed.

Float64, because a voltage is a small difference of large energies: in float32 the same crystal written as a supercell
differs by some 1e-5 V.
"""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import StructureError
from core.records import Crystal

Floats = NDArray[np.float64]
_one_at_a_time = threading.RLock()
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


@contextlib.contextmanager
def _float64() -> Iterator[None]:
    """Both packages create tensors of torch's default type on the way; it is put back however the block ends.

    The default is one for the whole process, hence one structure at a time.
    """
    with _one_at_a_time:
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            torch.set_default_dtype(before)


def _to_float64(values: Any) -> Any:
    for key in list(values.keys()):
        value = values[key]
        if torch.is_tensor(value) and value.is_floating_point():
            values[key] = value.to(torch.float64)
    return values


class SevenNetProbe:
    """SevenNet-0, energies and atom vectors only."""

    CUTOFF_A = 5.0

    def __init__(self) -> None:
        from sevenn.checkpoint import SevenNetCheckpoint
        from sevenn.util import pretrained_name_to_path

        # The package builds its modules under float32; they are widened afterwards.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = SevenNetCheckpoint(pretrained_name_to_path("7net-0")).build_model()
        model.set_is_batch_data(False)
        model.delete_module_by_key("force_output")
        self._model = model.eval().to(torch.float64)
        self._vectors: torch.Tensor | None = None
        modules = self._model._modules
        modules["onehot_idx_to_onehot"].register_forward_hook(lambda _m, _i, output: _to_float64(output))
        modules["reduce_input_to_hidden"].register_forward_pre_hook(self._keep_vectors)

    def _keep_vectors(self, _module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        self._vectors = inputs[0]["x"].detach().clone()

    def __call__(self, crystal: Crystal) -> SevenNetState:
        """Return the state of one crystal; one without any neighbours within the cutoff is a `StructureError`."""
        from ase import Atoms
        from sevenn.atom_graph_data import AtomGraphData
        from sevenn.train.dataload import unlabeled_atoms_to_graph

        atoms = Atoms(crystal.species, cell=crystal.lattice_a, scaled_positions=crystal.frac, pbc=True)
        with _float64(), torch.no_grad():
            graph = _to_float64(AtomGraphData.from_numpy_dict(unlabeled_atoms_to_graph(atoms, self.CUTOFF_A)))
            output = _understood("SevenNet-0", crystal, lambda: self._model(graph))
            vectors = self._vectors
        if vectors is None:
            raise StructureError(f"{crystal.formula}: SevenNet-0 gave no atom vectors; reinstall sevenn.")
        return SevenNetState(
            energy_ev=float(output["inferred_total_energy"]),
            site_energies_ev=output["atomic_energy"].numpy()[:, 0],
            vectors=vectors.numpy(),
        )


class ChgnetProbe:
    """CHGNet 0.3.0."""

    def __init__(self) -> None:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            from chgnet.model import CHGNet

            model = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False)
        model.graph_converter.set_isolated_atom_response("ignore")
        self._model = model.to(torch.float64)
        # The composition model counts elements in float32 whatever the default is.
        counts: Any = model.composition_model
        counts.fc.register_forward_pre_hook(lambda _m, inputs: (inputs[0].double(),))

    def __call__(self, crystal: Crystal, *, forces: bool) -> ChgnetState:
        """Return the state of one crystal, with forces and stress when asked for. Raises `StructureError`."""
        with _float64():
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
                graph, name, getattr(graph, name).detach().double().requires_grad_(name != "neighbor_image")
            )
        output: Any = self._model.predict_graph(
            graph, task="efsm" if forces else "em", return_atom_feas=True, return_site_energies=True
        )
        return output


def _understood(potential: str, crystal: Crystal, run: Any) -> Any:
    """Run a potential; what it cannot take becomes a reason for the user."""
    try:
        return run()
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError, AttributeError, SystemExit) as error:
        raise StructureError(
            f"{crystal.formula}: {potential} cannot describe this structure ({type(error).__name__}: {error}). "
            "Check elements and distances, or use --model cgcnn."
        ) from None
