"""`nequip-mg`: a small, fast NequIP that learnt from `nequip-mp` over the chemistry of the magnesium shortlist."""
