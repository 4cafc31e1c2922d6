"""Which atoms make a predicted voltage: offered for models that split into one share an atom."""

from typing import TYPE_CHECKING

from core.records import Crystal

if TYPE_CHECKING:
    from core.voltage import VoltageModel
    from core.voltage.kinds.frozen_host.backbones import SevenNetBackbone as SevenNetBackbone
    from core.voltage.kinds.frozen_host.contributions import Contributions as Contributions


def can_explain() -> bool:
    """Return whether the fast model can be split into atoms; raise `ModelError` where there is no model."""
    from core.voltage import voltage_kind
    from core.voltage.accuracy import shipped_card

    return voltage_kind(shipped_card("fast").kind).explains_atoms


def load_backbone() -> "SevenNetBackbone":
    """Return the potential whose site energies are weighed; loading takes seconds, so keep it."""
    from core.voltage.kinds.frozen_host.backbones import SevenNetBackbone

    return SevenNetBackbone()


def explain(
    model: "VoltageModel", crystal: Crystal, working_ion: str, backbone: "SevenNetBackbone"
) -> "Contributions":
    """Return the share of each atom in the voltage of the frozen host; raise `ExplorerError` with the reason."""
    from core.voltage.kinds.frozen_host.contributions import explain

    return explain(model, crystal, working_ion, backbone)
