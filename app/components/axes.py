"""Which figures the Screen page's plot can show: as an axis, or as the colour of its points."""

from typing import Final

PLOTTED: Final = (
    "voltage_v", "capacity_redox_vol_ah_per_l", "capacity_vol_ah_per_l", "capacity_redox_grav_mah_per_g",
    "energy_vol_wh_per_l", "energy_grav_wh_per_kg", "score", "p_all", "e_above_hull_ev_per_atom",
    "charged_e_above_hull_ev_per_atom", "relaxed_voltage_v", "mp_average_voltage_v", "dft_voltage_v",
    "conversion_voltage_v", "volume_change", "barrier_ev", "sigma_ms_per_cm", "price_usd_per_kg", "n_sites",
)  # fmt: skip
"""What is offered, all numbers of `core.quantities`."""

WIDE_SPREAD: Final = frozenset({"sigma_ms_per_cm", "price_usd_per_kg"})
"""Of these, what spreads over decades: drawn on logarithmic axes."""
