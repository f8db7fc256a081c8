"""Alerts: what one is, how findings merge into one that grows."""
