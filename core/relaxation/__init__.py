"""A crystal at rest under a potential, and what becomes of a host when its working ions leave."""

from core.relaxation.ends import host_of, least_bound, metal_energy_ev, without
from core.relaxation.host import FRAMEWORKS, HostChange, host_change, host_moves_a
from core.relaxation.relax import FORCE_EV_PER_A, MAX_STEPS, Relaxed, Step, relax

__all__ = [
    "FORCE_EV_PER_A", "FRAMEWORKS", "MAX_STEPS", "HostChange", "Relaxed", "Step", "host_change", "host_moves_a",
    "host_of", "least_bound", "metal_energy_ev", "relax", "without",
]  # fmt: skip
