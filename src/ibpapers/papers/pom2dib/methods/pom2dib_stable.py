"""PoM2-DIB whose policy decides when the codes are worth choosing between, and by comparison.

Three changes, each a setting of its own (`stable`): the policy waits while the codes learn under
its first, nearly indifferent draws; what a draw cost is held to what the update's other draws cost;
the log-probability is that of the sets drawn, whatever their order. Model, objective and limits are
PoM2-DIB's.
"""

from ibpapers.papers.pom2dib.methods.pom2dib import build, together

__all__ = ["build", "together"]
