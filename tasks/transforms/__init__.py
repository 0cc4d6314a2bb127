"""Pure functions from frames to frames: no clock, no environment, no input or output."""
