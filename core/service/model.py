"""The voltage models, and what their cards say."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.cascade import Cascade as Cascade
    from core.voltage import VoltageCard as VoltageCard
    from core.voltage import VoltageModel as VoltageModel


def load_model(name: str = "default") -> "VoltageModel":
    """Return a shipped voltage model with its card; raise `ModelError` where it is absent or damaged.

    `default` is the most accurate one, `fast` the one for many structures.
    """
    from core.voltage import load_voltage_model

    return load_voltage_model(name)


def load_cascade(name: str = "default") -> "Cascade":
    """Return the graph network and the fast model before a model, the last asked about what could pass."""
    from core.cascade import Cascade, Limits
    from core.voltage.accuracy import shipped_card

    names = dict.fromkeys(shipped_card(it).name for it in ("cgcnn", "fast", name))
    return Cascade(models=tuple(map(load_model, names)), limits=Limits())
