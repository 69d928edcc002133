"""How it is kept: the log's and the keys' stores, sealing, group commit and the follower."""
