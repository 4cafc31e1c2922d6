"""Whose turn it is: devices that runs share, and the processes that work on runs."""
