"""Where it is put together: settings, the one constructor, the command line."""
