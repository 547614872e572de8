"""The one exception for what a user can mend."""


class RunhiveError(Exception):
    """A mistake in the input or the surroundings: one line with what, where and what to do next."""
