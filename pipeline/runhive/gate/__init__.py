"""May this model have the alias? Evidence computed anew from bytes, weighed by rules, put in words with its numbers."""
