"""An invented brand with shops on eight channels."""
