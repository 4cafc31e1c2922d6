"""How good is a voltage model? One way for every kind: folds, cross-validation, error tables, calibration."""
