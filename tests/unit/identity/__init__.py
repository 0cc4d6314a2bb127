"""Who is who: the resolver's laws, and the same answer as a plain reading of the text."""
