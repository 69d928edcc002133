"""How we prove it: the tree over the log, its verification, replay and export."""
