"""Reusable pictures and controls, one file each."""
