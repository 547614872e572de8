"""One module per DVC stage: read what the last one left, call the layers, write the outs."""
