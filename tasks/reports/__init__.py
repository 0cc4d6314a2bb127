"""The monthly report: one self-contained HTML page, a pure function of a month's frames. No clock, no network."""
