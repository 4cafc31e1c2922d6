"""Packages of the wheel; all else stands in pyproject.toml.

The shipped release lies beside `core` in the tree, where users and readers look for it, and inside it in a wheel.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["core", "core.*"]), "core.precomputed"],
    package_dir={"core.precomputed": "precomputed"},
    package_data={"core.store": ["*.sql"], "core.precomputed": ["*", "*/*"]},
    exclude_package_data={"core.precomputed": ["previous/*", ".*"]},
)
