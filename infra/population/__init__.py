"""An invented population whose truth is known: people, their keys, and the records on which the keys were seen.

Independent of the resolver that it judges: nothing here imports from tasks/ or expectations/.
`write` makes sightings and truth of any size, `score` holds an answer against the truth.
"""
