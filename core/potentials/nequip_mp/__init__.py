"""`nequip-mp`: SevenNet-0 as a model of the nequip framework, with the same weights and the same numbers."""
