"""Tests of what an auditor relies on."""
