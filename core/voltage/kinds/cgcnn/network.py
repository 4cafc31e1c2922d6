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
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing

from core.voltage.kinds.cgcnn.batches import GraphBatch
from core.voltage.kinds.cgcnn.gated_sum import Edges, GatedSum, gated_sum

Pooling = Literal["working_ion", "all"]
_MOMENTUM = 0.1
"""Share of a batch in the running statistics."""


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


class CrystalConvolution(MessagePassing):  # type: ignore[misc]  # torch-geometric is not read by mypy
    """One CGCNN convolution.

    The linear map of the concatenation (v_i, v_j, u_ij) is written as three maps that add up, so that those
    of the atoms run once an atom and not once an edge. Messages and their sums are made in one step.
    """

    SUPPORTS_FUSED_EDGE_INDEX = True

    def __init__(self, n_features: int, n_edge_features: int) -> None:
        super().__init__()
        self.of_atom = nn.Linear(n_features, 2 * n_features)
        self.of_neighbour = nn.Linear(n_features, 2 * n_features, bias=False)
        self.of_edge = nn.Linear(n_edge_features, 2 * n_features, bias=False)
        self.norm_gate = nn.BatchNorm1d(2 * n_features, momentum=_MOMENTUM)
        self.norm_sum = nn.BatchNorm1d(n_features, momentum=_MOMENTUM)

    def forward(
        self,
        vectors: Tensor,
        edge_index: Tensor,
        length_vectors: Tensor,
        edge_lengths: Tensor | None = None,
        edge_counts: Tensor | None = None,
    ) -> Tensor:
        """Return the new (n_atoms, n_features) vectors; `edge_index`: (2, n_edges) of neighbour -> atom, by atom.

        `edge_lengths`: (n_edges,) row of each edge in `length_vectors`, its own where not given; `edge_counts`:
        (n_edges,) how many edges each stands for, one where not given.
        """
        if edge_lengths is None:
            edge_lengths = torch.arange(edge_index.shape[1])
        if edge_counts is None:
            edge_counts = vectors.new_ones(edge_index.shape[1])
        summed = self.propagate(
            EdgeIndex(edge_index, sparse_size=(len(vectors), len(vectors)), sort_order="col"),
            atom=self.of_atom(vectors),
            neighbour=self.of_neighbour(vectors),
            # As a plain product the gradient of the long, narrow map takes two thirds of the time.
            of_length=length_vectors @ self.of_edge.weight.T,
            edge_lengths=edge_lengths,
            edge_counts=edge_counts,
        )
        return softplus(vectors + self.norm_sum(summed))

    def message_and_aggregate(
        self,
        edge_index: EdgeIndex,
        atom: Tensor,
        neighbour: Tensor,
        of_length: Tensor,
        edge_lengths: Tensor,
        edge_counts: Tensor,
    ) -> Tensor:
        """Return the (n_atoms, n_features) gated sums, normalised by the batch in training, else by what was kept."""
        neighbours, atoms = edge_index.as_tensor()
        edges = Edges(atoms=atoms, neighbours=neighbours, lengths=edge_lengths, counts=edge_counts)
        norm = self.norm_gate
        running_mean, running_var = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        statistics = None if self.training else (running_mean, running_var)
        terms = (atom, neighbour, of_length, norm.weight, norm.bias, edges)
        if statistics is not None and not torch.is_grad_enabled():
            return gated_sum(*terms, statistics, norm.eps)
        summed: Tensor
        summed, mean, variance = GatedSum.apply(*terms, statistics, norm.eps)  # type: ignore[no-untyped-call]
        if self.training:
            total = edges.counts.sum()
            running_mean.lerp_(mean, _MOMENTUM)
            running_var.lerp_(variance * (total / (total - 1.0)), _MOMENTUM)
            norm.get_buffer("num_batches_tracked").add_(1)
        return summed


class PooledNetwork(nn.Module):
    """What graph networks share: vectors of atoms -> mean over the pooled ones -> hidden layer -> scaled voltage."""

    pooling: Pooling = "working_ion"
    to_hidden: nn.Linear
    to_voltage: nn.Linear

    def forward(self, batch: GraphBatch) -> Tensor:
        """Return (n_graphs,) voltages in the scaled units of training."""
        return self.head(self.pooled(batch))

    def atom_vectors(self, batch: GraphBatch) -> Tensor:
        """Return (n_atoms, n_features) vectors of the atoms in their surroundings."""
        raise NotImplementedError

    def pooled(self, batch: GraphBatch) -> Tensor:
        """Return (n_graphs, n_features): the mean over the pooled atoms of each graph."""
        weights = batch.ion_weights if self.pooling == "working_ion" else batch.atom_weights
        vectors = self.atom_vectors(batch) * weights.unsqueeze(1)
        sums = vectors.new_zeros(batch.n_graphs, vectors.shape[1]).index_add(0, batch.graph_of_atom, vectors)
        return sums

    def head(self, pooled: Tensor) -> Tensor:
        """Return (n_graphs,) scaled voltages of pooled vectors."""
        scaled: Tensor = self.to_voltage(softplus(self.to_hidden(softplus(pooled)))).squeeze(1)
        return scaled


class VoltageNetwork(PooledNetwork):
    """Element vectors -> three convolutions -> mean over the pooled atoms -> hidden layer -> scaled
    voltage."""

    element_table: Tensor
    centres_a: Tensor

    def __init__(self, element_table: Tensor, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.pooling = config.pooling
        self.register_buffer("element_table", element_table)
        self.register_buffer("centres_a", torch.linspace(0.0, config.cutoff_a, config.n_gaussians))
        self.embed_element = nn.Linear(element_table.shape[1], config.n_features)
        self.convolutions = nn.ModuleList(
            CrystalConvolution(config.n_features, config.n_gaussians) for _ in range(config.n_convolutions)
        )
        self.to_hidden = nn.Linear(config.n_features, config.n_hidden)
        self.to_voltage = nn.Linear(config.n_hidden, 1)

    def atom_vectors(self, batch: GraphBatch) -> Tensor:
        """Return (n_atoms, n_features) vectors after the last convolution."""
        vectors: Tensor = self.embed_element(self.element_table).index_select(0, batch.atomic_numbers)
        offsets = (batch.lengths_a.unsqueeze(1) - self.centres_a).div_(self.config.gaussian_step_a)
        length_vectors = offsets.square_().neg_().exp_()
        for convolution in self.convolutions:
            vectors = convolution(
                vectors, batch.edge_index, length_vectors, batch.edge_lengths, batch.edge_counts
            )
        return vectors
