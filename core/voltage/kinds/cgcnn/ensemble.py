"""The kind `cgcnn`: a few crystal graph networks that differ in their seed, evaluated in double precision."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ModelError, StructureError
from core.graphs import CrystalGraph, GraphStore, build_graph
from core.records import Crystal
from core.voltage.base import Arrays, Done, Outputs
from core.voltage.kinds.cgcnn.batches import GraphTable
from core.voltage.kinds.cgcnn.network import NetworkConfig, VoltageNetwork
from core.voltage.kinds.cgcnn.training import TrainedNetwork

_BATCH: Final = 64


class CgcnnEnsemble:
    """Networks of one shape; their mean is the voltage, the first one's pooled vector the learned vector."""

    def __init__(self, members: Sequence[TrainedNetwork]) -> None:
        # In float32 the order of sums alone moves a voltage by some 1e-6 V; float64 leaves room under 1e-5 V.
        self.members = list(members)
        for member in self.members:
            member.network.double().eval()

    def outputs(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress: Done | None = None
    ) -> Outputs:
        """Return the outputs for structures that hold their working ions; one without a graph has its error."""
        graphs: list[CrystalGraph] = []
        ions: list[str] = []
        errors: list[str | None] = []
        for crystal, ion in zip(crystals, working_ions, strict=True):
            try:
                graphs.append(build_graph(crystal))
                ions.append(ion)
                errors.append(None)
            except StructureError as error:
                errors.append(str(error))
        n_refused = len(crystals) - len(graphs)

        def report(n_predicted: int) -> None:
            if progress is not None:
                progress(n_refused + n_predicted)

        if not graphs:
            report(0)
            return _nothing(errors)
        return Outputs.with_gaps(self.outputs_of_graphs(graphs, ions, progress=report), errors)

    @torch.no_grad()
    def outputs_of_graphs(
        self,
        graphs: Sequence[CrystalGraph] | GraphStore,
        working_ions: Sequence[str],
        *,
        progress: Done | None = None,
    ) -> Outputs:
        """Return the outputs for graphs; `progress(done)` is called after each batch that the networks take."""
        table = GraphTable.from_graphs(
            graphs, working_ions, merge_alike=True, merge_edges=True, dtype=torch.float64
        )
        voltages, vectors = [], []
        for rows in torch.arange(len(table)).split(_BATCH):
            batch = table.batch(rows)
            pooled = [member.network.pooled(batch) for member in self.members]
            vectors.append(pooled[0].float())
            heads = [
                member.mean_v + member.scale_v * member.network.head(vector)
                for member, vector in zip(self.members, pooled, strict=True)
            ]
            voltages.append(torch.stack(heads, dim=1))
            if progress is not None:
                progress(int(rows[-1]) + 1)
        return Outputs(
            voltages_v=torch.cat(voltages).numpy(),
            vectors=torch.cat(vectors).numpy(),
            trusted=_no_isolated_ion(table),
        )

    def to_arrays(self) -> Arrays:
        """Return the weights of all members as float32 arrays."""
        arrays: Arrays = {"scale": np.array([[member.mean_v, member.scale_v] for member in self.members])}
        for index, member in enumerate(self.members):
            for key, value in member.network.state_dict().items():
                tensor = value.float() if value.is_floating_point() else value
                arrays[f"member.{index}.{key}"] = tensor.numpy()
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays, config: NetworkConfig, *, name: str) -> "CgcnnEnsemble":
        """Return the ensemble that `to_arrays` and the network's shape describe; raises `ModelError`."""
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ModelError(f"The weights of {name!r} hold NaN or infinity; restore them from git.")
        return cls([_member(arrays, index, config) for index in range(len(arrays["scale"]))])


def _nothing(errors: list[str | None]) -> Outputs:
    """Outputs where no structure has a graph."""
    n = len(errors)
    return Outputs(
        voltages_v=np.full((n, 1), np.nan), vectors=np.zeros((n, 0), dtype=np.float32),
        trusted=np.zeros(n, dtype=np.bool_), errors=tuple(errors),
    )  # fmt: skip


def _member(arrays: Arrays, index: int, config: NetworkConfig) -> TrainedNetwork:
    prefix = f"member.{index}."
    state = {
        key.removeprefix(prefix): torch.as_tensor(value)
        for key, value in arrays.items()
        if key.startswith(prefix)
    }
    network = VoltageNetwork(state["element_table"], config)
    network.load_state_dict(state)
    mean_v, scale_v = arrays["scale"][index]
    return TrainedNetwork(network=network, mean_v=float(mean_v), scale_v=float(scale_v), history=[])


def _no_isolated_ion(table: GraphTable) -> NDArray[np.bool_]:
    n_edges = torch.diff(table.edge_start)
    graph_of_atom = torch.repeat_interleave(torch.arange(len(table)), torch.diff(table.atom_start))
    edge_atoms = table.atoms + torch.repeat_interleave(table.atom_start[:-1], n_edges)
    degrees = torch.bincount(edge_atoms, minlength=len(table.atomic_numbers))
    alone = (degrees == 0) & (table.ion_weights > 0)
    n_alone = torch.bincount(graph_of_atom, weights=alone.double(), minlength=len(table)).numpy()
    return np.asarray(n_alone == 0, dtype=np.bool_)
