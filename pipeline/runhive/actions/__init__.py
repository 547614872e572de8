"""What GitHub's workflows call: the bundle of a run, its collection, and the answer to its pull request."""
