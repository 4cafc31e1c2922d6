"""SchNet (doi:10.1063/1.5019779): continuous filters, from torch-geometric's layers, on our periodic edges.

    v_i <- v_i + W2 ssp(W1 sum_j c_ij (W0 v_j) * F(d_ij))

F is a filter that two layers make from Gaussians of the distance; ssp(x) = ln(0.5 e^x + 0.5); c_ij counts edges that
are alike and stand as one.
"""

import math
from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import threshold
from torch_geometric.nn.models.schnet import GaussianSmearing, InteractionBlock

from core.graphs import CUTOFF_A
from core.voltage.elements import N_ELEMENTS
from core.voltage.kinds.cgcnn.batches import GraphBatch
from core.voltage.kinds.cgcnn.network import PooledNetwork
from core.voltage.kinds.graph_networks.kind import GraphNetworkKind

N_FEATURES: Final = 64
N_BLOCKS: Final = 6
N_GAUSSIANS: Final = 50


class Interaction(InteractionBlock):  # type: ignore[misc]  # torch-geometric is not read by mypy
    """torch-geometric's block; its filters are made once a length, and edges that stand for several count so often."""

    def __init__(self) -> None:
        super().__init__(N_FEATURES, N_GAUSSIANS, N_FEATURES, CUTOFF_A)
        del self.mlp  # the same layers as `conv.nn`, which a checkpoint takes once

    def forward(self, vectors: Tensor, batch: GraphBatch, smeared: Tensor) -> Tensor:
        """Return what is added to the (n_atoms, n_features) vectors."""
        convolution = self.conv
        fade = 0.5 * (torch.cos(batch.lengths_a * math.pi / convolution.cutoff) + 1.0)
        filters = convolution.nn(smeared) * fade.unsqueeze(1)
        of_edges = filters.index_select(0, batch.edge_lengths) * batch.edge_counts.unsqueeze(1)
        summed = convolution.propagate(batch.edge_index, x=convolution.lin1(vectors), W=of_edges)
        added: Tensor = self.lin(self.act(convolution.lin2(summed)))
        return added


class SchNet(PooledNetwork):
    """Element vectors -> six interactions -> mean over the working ions -> hidden layer -> scaled voltage."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_element = nn.Embedding(N_ELEMENTS + 1, N_FEATURES)
        self.smear = GaussianSmearing(0.0, CUTOFF_A, N_GAUSSIANS)
        self.interactions = nn.ModuleList(Interaction() for _ in range(N_BLOCKS))
        self.to_hidden = nn.Linear(N_FEATURES, N_FEATURES)
        self.to_voltage = nn.Linear(N_FEATURES, 1)

    def atom_vectors(self, batch: GraphBatch) -> Tensor:
        """Return (n_atoms, n_features) vectors after the last interaction."""
        vectors: Tensor = self.embed_element(batch.atomic_numbers)
        # Numbers too small for a full mantissa make the products some times slower, and count for nothing.
        smeared = threshold(self.smear(batch.lengths_a), 1e-20, 0.0)
        for interaction in self.interactions:
            vectors = vectors + interaction(vectors, batch, smeared)
        return vectors


class SchNetKind(GraphNetworkKind):
    """SchNet that pools the working ions."""

    name: ClassVar[str] = "schnet"
    description: ClassVar[str] = "SchNet that pools the working ions alone, one network"
    citation: ClassVar[str] = "10.1063/1.5019779"
    network: ClassVar[type[PooledNetwork]] = SchNet
