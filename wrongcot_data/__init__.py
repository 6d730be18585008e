"""Chain-of-thought training data whose quality is controlled and known."""

__version__ = "0.1.0"
