"""Graph networks beside CGCNN, all trained alike: the same graphs, pooling, loss, optimiser, epochs and batches."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.voltage.kinds.graph_networks.kind import GraphNetworkKind
from core.voltage.kinds.graph_networks.megnet import MegnetKind
from core.voltage.kinds.graph_networks.schnet import SchNetKind

KINDS: Final[Mapping[str, GraphNetworkKind]] = MappingProxyType(
    {kind.name: kind for kind in (SchNetKind(), MegnetKind())}
)
