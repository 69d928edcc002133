"""The pages that people open: plain, server-rendered, readable without scripts."""
