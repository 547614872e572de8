"""What happened: runs as events in a Git ref. Knows neither torch nor images."""
