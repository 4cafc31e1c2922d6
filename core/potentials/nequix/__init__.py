"""Nequix-OAM in the nequip framework: its weights are the user's to fetch, none ship."""
