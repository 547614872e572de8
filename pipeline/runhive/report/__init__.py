"""Records to pages: a static site that opens from file://. Knows the ledger, neither torch nor DVC."""
