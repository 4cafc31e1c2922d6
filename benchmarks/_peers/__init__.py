"""Peers of the voltage network: hand-made descriptors of a discharged crystal under classical regressors.

`features` turns crystals into rows of numbers and caches them; `regressors` names the peers and predicts every
row once from the other nine folds. `benchmarks.descriptors` prints the table.
"""
