"""How it arrives: one contract, one module per vendor, from a request to commands."""
