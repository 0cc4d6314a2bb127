"""An export file becomes canonical rows: decode, recognise, map."""
