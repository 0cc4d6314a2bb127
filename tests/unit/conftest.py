"""Hypothesis profile: no deadline, since a loaded machine is not a bug."""

from hypothesis import settings

from tests.support.examples import examples

settings.register_profile("house", deadline=None, max_examples=examples(50))
settings.load_profile("house")
