"""How far the voltage model is off on electrodes that it did not see, beside the paper and other models."""

from core.voltage.accuracy import (
    LEVELS,
    PARTITIONS,
    Interval,
    Peer,
    SpreadBin,
    coverage,
    default_card,
    mean_absolute_error,
    peer_of_card,
    read_out_of_fold,
    read_peers,
    spread_bins,
    worst_cases,
)
from core.voltage.evaluation.errors import ErrorRow

__all__ = [
    "LEVELS",
    "PARTITIONS",
    "ErrorRow",
    "Interval",
    "Peer",
    "SpreadBin",
    "coverage",
    "default_card",
    "mean_absolute_error",
    "peer_of_card",
    "ranked_peers",
    "read_out_of_fold",
    "read_peers",
    "spread_bins",
    "worst_cases",
]


def ranked_peers(own: Peer, others: list[Peer]) -> list[Peer]:
    """Return all models, the best on unseen hosts first; at random where that was not tried; the untried last."""

    def error_v(peer: Peer) -> float:
        row = peer.row("host", "all") or peer.row("random", "all")
        return float("inf") if row is None else row.mae_v

    return sorted([own, *others], key=error_v)
