"""The two demo brands: their policies, their export files and when these arrive."""
