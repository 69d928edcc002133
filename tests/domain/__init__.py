"""Tests of the domain: values, addresses, times, decisions."""
