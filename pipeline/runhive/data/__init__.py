"""Where images come from, and which of them can be trusted."""
