"""What we see: views of the log, each of which can be thrown away and built again."""
