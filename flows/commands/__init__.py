"""The commands of `strata`, by what they do to the lake."""
