"""Measures contenders against each other: pinned, alternated, as ratios. Started by `bench/run`."""
