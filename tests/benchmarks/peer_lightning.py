"""Lightning's Trainer over the tutorial's network, loaders, loss, optimizer and schedule.

python tests/benchmarks/peer_lightning.py IMAGES resnet18 --batch-size 32 --precision bf16-mixed
"""

import logging

import torch
import tutorial
from lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, lr_scheduler


class Lesson(LightningModule):
    """The tutorial's step as Lightning wants it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        images, labels = batch
        return functional.cross_entropy(self.network(images), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        images, labels = batch
        self.log("check_accuracy", (self.network(images).argmax(1) == labels).float().mean())

    def on_train_epoch_end(self) -> None:
        print(f"epoch {self.current_epoch + 1}/{self.trainer.max_epochs}", flush=True)

    def configure_optimizers(self) -> tuple[list[SGD], list[lr_scheduler.StepLR]]:
        optimizer = SGD(self.network.parameters(), lr=0.001, momentum=0.9)
        return [optimizer], [lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)]


def main() -> None:
    parser = tutorial.arguments(__doc__)
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), default="32-true")
    given = parser.parse_args()
    torch.manual_seed(0)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    loaders = tutorial.make_loaders(given.images, given.arch, given.batch_size, given.workers)
    network = tutorial.make_network(given.arch, len(loaders["train"].dataset.classes), given.weights)
    trainer = Trainer(
        accelerator="cpu", precision=given.precision, max_epochs=given.epochs, num_sanity_val_steps=0, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Lesson(network), loaders["train"], loaders["val"])


if __name__ == "__main__":
    main()
