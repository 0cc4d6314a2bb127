"""A real retailer's year: Complete Journey as monthly export files."""
