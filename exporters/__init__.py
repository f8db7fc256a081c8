"""Room 3, tell: what the daemon knows, in the formats that others read."""
