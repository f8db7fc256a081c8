"""Built-in detections, one file each."""
