"""Measurements: speed and memory with ratios against floors measured in the same run."""
