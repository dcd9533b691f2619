"""The model of a check, name resolution, the address policy, TCP sockets, OS errors."""
