"""ResNet-18 over 355 images of 40 pixels, as many as the digits have in val: prints when it begins and ends.

python tests/benchmarks/forward.py
"""

import torch

from runhive.vision.model import build_backbone

network = build_backbone("resnet18", 10).eval().to(memory_format=torch.channels_last)
images = torch.rand(355, 3, 40, 40).contiguous(memory_format=torch.channels_last)
with torch.inference_mode():
    network(images[:32])
    print("begins", flush=True)
    for batch in images.split(32):
        network(batch)
print("ends", flush=True)
