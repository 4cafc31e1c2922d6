"""Hops of an ion through a host: which there are, what each costs, and how far they let it go."""
