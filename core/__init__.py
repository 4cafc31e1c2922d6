"""Voltages, capacities and Mg conductivities of intercalation electrodes; the science behind the explorer."""

__version__ = "0.2.0"
