"""The voltage model, and what its card says."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.voltage import VoltageCard as VoltageCard
    from core.voltage import VoltageModel as VoltageModel


def load_model(name: str = "default") -> "VoltageModel":
    """Return a shipped voltage model with its card; raise `ModelError` where it is absent or damaged."""
    from core.voltage import load_voltage_model

    return load_voltage_model(name)
