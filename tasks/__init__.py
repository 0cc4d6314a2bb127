"""How data is made: policy, sources, transforms, stores, gate and steps."""
