"""Why somebody moved."""
