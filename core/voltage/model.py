"""The crystal graph network of the paper: CGCNN whose pooling sees the working ions alone.

    v_i <- softplus(v_i + BN(sum_j sigmoid(BN(W z_ij))_gate * softplus(BN(W z_ij))_core)),  z_ij = v_i + v_j +
    u_ij

with (+) as concatenation in z_ij; layer of Xie and Grossman (2018), doi:10.1103/PhysRevLett.120.145301, eq.
5.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch_geometric.nn import MessagePassing

from core.voltage.batches import GraphBatch

Pooling = Literal["working_ion", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Sizes of the network: features an atom, convolutions, hidden features, Gaussians on 0..cutoff,
    pooling."""

    n_features: int = 64
    n_convolutions: int = 3
    n_hidden: int = 128
    cutoff_a: float = 8.0
    gaussian_step_a: float = 0.2
    pooling: Pooling = "working_ion"

    @property
    def n_gaussians(self) -> int:
        """Number of Gaussians, both ends included."""
        return round(self.cutoff_a / self.gaussian_step_a) + 1

    def to_dict(self) -> dict[str, float | int | str]:
        """Return the fields for a model card."""
        return asdict(self)


class CrystalConvolution(MessagePassing):
    """One CGCNN convolution.

    The linear map of the concatenation (v_i, v_j, u_ij) is written as three maps that add up, so that those
    of the atoms run once an atom and not once an edge.
    """

    def __init__(self, n_features: int, n_edge_features: int) -> None:
        super().__init__(aggr="sum")
        self.of_atom = nn.Linear(n_features, 2 * n_features)
        self.of_neighbour = nn.Linear(n_features, 2 * n_features, bias=False)
        self.of_edge = nn.Linear(n_edge_features, 2 * n_features, bias=False)
        self.norm_gate = nn.BatchNorm1d(2 * n_features)
        self.norm_sum = nn.BatchNorm1d(n_features)

    def forward(self, vectors: Tensor, edge_index: Tensor, edge_vectors: Tensor) -> Tensor:
        """Return the new (n_atoms, n_features) vectors; `edge_index`: (2, n_edges) of neighbour -> atom."""
        summed = self.propagate(
            edge_index,
            atom=self.of_atom(vectors),
            neighbour=self.of_neighbour(vectors),
            edge=self.of_edge(edge_vectors),
            size=(len(vectors), len(vectors)),
        )
        return softplus(vectors + self.norm_sum(summed))

    def message(self, atom_i: Tensor, neighbour_j: Tensor, edge: Tensor) -> Tensor:
        """Return sigmoid(gate) * softplus(core) for each edge."""
        gate, core = self.norm_gate(atom_i + neighbour_j + edge).chunk(2, dim=1)
        return torch.sigmoid(gate) * softplus(core)


class VoltageNetwork(nn.Module):
    """Element vectors -> three convolutions -> mean over the pooled atoms -> hidden layer -> scaled
    voltage."""

    element_table: Tensor
    centres_a: Tensor

    def __init__(self, element_table: Tensor, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("element_table", element_table)
        self.register_buffer("centres_a", torch.linspace(0.0, config.cutoff_a, config.n_gaussians))
        self.embed_element = nn.Linear(element_table.shape[1], config.n_features)
        self.convolutions = nn.ModuleList(
            CrystalConvolution(config.n_features, config.n_gaussians) for _ in range(config.n_convolutions)
        )
        self.to_hidden = nn.Linear(config.n_features, config.n_hidden)
        self.to_voltage = nn.Linear(config.n_hidden, 1)

    def forward(self, batch: GraphBatch) -> Tensor:
        """Return (n_graphs,) voltages in the scaled units of training."""
        return self.head(self.pooled(batch))

    def atom_vectors(self, batch: GraphBatch) -> Tensor:
        """Return (n_atoms, n_features) vectors after the last convolution."""
        vectors = self.embed_element(self.element_table[batch.atomic_numbers])
        offsets = (batch.distances_a.unsqueeze(1) - self.centres_a) / self.config.gaussian_step_a
        edge_vectors = torch.exp(-offsets.square())
        for convolution in self.convolutions:
            vectors = convolution(vectors, batch.edge_index, edge_vectors)
        return vectors

    def pooled(self, batch: GraphBatch) -> Tensor:
        """Return (n_graphs, n_features): the mean over the pooled atoms of each graph."""
        weights = batch.ion_weights if self.config.pooling == "working_ion" else batch.atom_weights
        vectors = self.atom_vectors(batch) * weights.unsqueeze(1)
        sums = vectors.new_zeros(batch.n_graphs, vectors.shape[1]).index_add(0, batch.graph_of_atom, vectors)
        return sums

    def head(self, pooled: Tensor) -> Tensor:
        """Return (n_graphs,) scaled voltages of pooled vectors."""
        return self.to_voltage(softplus(self.to_hidden(softplus(pooled)))).squeeze(1)
