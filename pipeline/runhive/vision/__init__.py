"""What the classifier is and how it learns: torch and tensors, no files of the pipeline, no params file."""
