"""Models in use, without torch: an ONNX file opened safely, images to predictions, many of them to a table."""
