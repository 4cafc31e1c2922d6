"""MEGNet (doi:10.1021/acs.chemmater.9b01294): edges, atoms and a state of the whole graph, updated in turn.

    e_ij <- e_ij + phi_e(v_i, v_j, e_ij, u),  v_i <- v_i + phi_v(v_i, mean_j e_ij, u)
    u <- u + phi_u(mean e, mean v, u)

The state starts as the working ion. In place of the set-to-set readout the voltage is read from the working ions and
the state. Edges that are alike stand as one and count as often in the means. The paper's package, matgl, asks for
another set of pins; these few lines run with ours.
"""

from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import threshold
from torch_geometric.nn.models.schnet import GaussianSmearing, ShiftedSoftplus

from core.graphs import CUTOFF_A
from core.voltage.elements import N_ELEMENTS
from core.voltage.kinds.cgcnn.batches import GraphBatch
from core.voltage.kinds.cgcnn.network import PooledNetwork
from core.voltage.kinds.graph_networks.kind import GraphNetworkKind

N_FEATURES: Final = 32
N_HIDDEN: Final = 64
N_BLOCKS: Final = 3
N_GAUSSIANS: Final = 50


class Block(nn.Module):
    """One update of edges, then atoms, then the state, each added to what was before."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.ModuleList(_layers(1) for _ in range(3))
        self.of_edge, self.of_atom, self.of_graph = _layers(4), _layers(3), _layers(3)

    def forward(self, edges: Tensor, atoms: Tensor, graphs: Tensor, batch: GraphBatch) -> tuple[Tensor, ...]:
        """Return the (n_edges, d), (n_atoms, d) and (n_graphs, d) vectors after the block."""
        inner = [layers(vectors) for layers, vectors in zip(self.before, (edges, atoms, graphs), strict=True)]
        edge, atom, graph = inner
        neighbours, ends = batch.edge_index
        around = graph.index_select(0, batch.graph_of_atom)
        of_ends = [atom.index_select(0, ends), atom.index_select(0, neighbours)]
        edge = self.of_edge(torch.cat([*of_ends, edge, around.index_select(0, ends)], dim=1))
        mean_edge = _mean_at_atoms(edge, ends, batch.edge_counts, len(atom))
        atom = self.of_atom(torch.cat([atom, mean_edge, around], dim=1))
        graph = self.of_graph(torch.cat([_mean(mean_edge, batch), _mean(atom, batch), graph], dim=1))
        return edges + edge, atoms + atom, graphs + graph


class Megnet(PooledNetwork):
    """Three blocks -> mean over the working ions, beside the state -> hidden layer -> scaled voltage."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_element = nn.Embedding(N_ELEMENTS + 1, N_FEATURES)
        self.embed_ion = nn.Embedding(N_ELEMENTS + 1, N_FEATURES)
        self.smear = GaussianSmearing(0.0, CUTOFF_A, N_GAUSSIANS)
        self.embed_length = nn.Linear(N_GAUSSIANS, N_FEATURES)
        self.blocks = nn.ModuleList(Block() for _ in range(N_BLOCKS))
        self.to_hidden = nn.Linear(2 * N_FEATURES, N_HIDDEN)
        self.to_voltage = nn.Linear(N_HIDDEN, 1)

    def pooled(self, batch: GraphBatch) -> Tensor:
        """Return (n_graphs, 2 d): the mean over the working ions, and the state."""
        atoms: Tensor = self.embed_element(batch.atomic_numbers)
        # What is smaller counts for nothing and slows the products down.
        smeared = threshold(self.smear(batch.lengths_a), 1e-20, 0.0)
        edges = self.embed_length(smeared).index_select(0, batch.edge_lengths)
        graphs: Tensor = self.embed_ion(working_ion_numbers(batch))
        for block in self.blocks:
            edges, atoms, graphs = block(edges, atoms, graphs, batch)
        ions = _summed(atoms * batch.ion_weights.unsqueeze(1), batch.graph_of_atom, batch.n_graphs)
        return torch.cat([ions, graphs], dim=1)


def working_ion_numbers(batch: GraphBatch) -> Tensor:
    """Return the (n_graphs,) atomic number of each graph's working ion."""
    shares = batch.ion_weights * batch.atomic_numbers
    return _summed(shares, batch.graph_of_atom, batch.n_graphs).round().long()


def _layers(n_vectors: int) -> nn.Sequential:
    """Two layers from some vectors, side by side, to one."""
    return nn.Sequential(
        nn.Linear(n_vectors * N_FEATURES, N_HIDDEN), ShiftedSoftplus(),
        nn.Linear(N_HIDDEN, N_FEATURES), ShiftedSoftplus(),
    )  # fmt: skip


def _mean_at_atoms(edge: Tensor, ends: Tensor, counts: Tensor, n_atoms: int) -> Tensor:
    degrees = _summed(counts, ends, n_atoms).clamp(min=1.0)
    return _summed(edge * counts.unsqueeze(1), ends, n_atoms) / degrees.unsqueeze(1)


def _mean(vectors: Tensor, batch: GraphBatch) -> Tensor:
    """The mean over all atoms of each graph."""
    return _summed(vectors * batch.atom_weights.unsqueeze(1), batch.graph_of_atom, batch.n_graphs)


def _summed(values: Tensor, owners: Tensor, n_owners: int) -> Tensor:
    return values.new_zeros(n_owners, *values.shape[1:]).index_add(0, owners, values)


class MegnetKind(GraphNetworkKind):
    """MEGNet with the working ion as its state."""

    name: ClassVar[str] = "megnet"
    description: ClassVar[str] = (
        "MEGNet, the working ion as its state, read from the working ions and the state; one network"
    )
    citation: ClassVar[str] = "10.1021/acs.chemmater.9b01294"
    network: ClassVar[type[PooledNetwork]] = Megnet
