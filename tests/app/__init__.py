"""Tests of what is put together: commands, settings, the demo."""
