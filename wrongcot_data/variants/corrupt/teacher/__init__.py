"""`teacher:NAME`: a model is asked for one mistake in a step; what it writes is proposed, and proven like any edit."""
