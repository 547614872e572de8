"""The files that cross a stage border: one module each, with its schema and its write/read pair."""
