"""The brand's rules as frozen models, and the defaults they start from."""
