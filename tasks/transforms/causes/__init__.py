"""Why somebody moved between two dates: last month's label, then one difference after another (algorithms §6).

Each step adds one difference to the ones before it, and the last step that changes the label is the cause. Replayed
are the people who moved and whom the difference touches; for all others a step leaves the label as it was.
"""
