"""A vendor's file, layer by layer: forms of ids, cells, lines, workbooks, requests, limits, archives."""
