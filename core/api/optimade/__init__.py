"""Structures for the OPTIMADE network (https://www.optimade.org, specification 1.2): read-only, with our figures.

Any client of OPTIMADE finds candidates by elements, formula or by what was calculated (`_mgc_voltage_v > 3`).
"""

from core.api.optimade.routes import create_optimade

__all__ = ["create_optimade"]
