"""The channels, against their contract, real requests and both databases."""
