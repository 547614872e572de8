"""Runs on a terminal, in a pipe, and as JSON. No run can steer the terminal that it is printed on."""
