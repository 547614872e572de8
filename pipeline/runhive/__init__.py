"""Git-native training and reporting for PyTorch image classifiers.

cli         commands; a stage is imported only when it runs
params      params.yaml, strictly validated
stages/     one module per DVC stage; the only code that knows paths
data/       where images come from; the manifest that lists them
vision/     what the classifier is and how it learns (torch)
tracking/   the ledger of runs in Git (no torch, no images)
report/     records to pages
formats/    one module per file that crosses a stage border
preprocess  an image file to the model's input, the same way everywhere
metrics     predictions to numbers
"""
