"""Hypothesis profiles: no deadline, since a loaded machine is not a bug; many more examples for `make proof`."""

from hypothesis import settings

settings.register_profile("house", deadline=None, max_examples=50)
settings.register_profile("proof", deadline=None, max_examples=2000)
settings.load_profile("house")
