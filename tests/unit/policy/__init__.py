"""The rules of a brand: read, checked, compared."""
