"""Sources in user space, one file each: what is asked of the system instead of told by it."""
