"""The settings of the codecs that the tests train, and their names."""

import torch

CPU = torch.device("cpu")
SOURCE, DIGITS = "gray_wyner_source", "coloured_mnist"
SMALL = [
    "include=[gray_wyner]",
    "papers.gray_wyner.synthetic.model.representation_channels=8",
    "papers.gray_wyner.coloured_mnist.model.widths=[4, 6]",
    "papers.gray_wyner.coloured_mnist.model.classifier_width=16",
    *(
        f"papers.gray_wyner.{section}.{setting}"
        for section in ("synthetic", "coloured_mnist", "probe")
        for setting in (
            "training.updates=4",
            "training.validate_every=2",
            "training.validation_images=12",
            "training.batch_size=8",
            "evaluation.images=12",
            "evaluation.batch_size=8",
        )
    ),
    "papers.gray_wyner.coloured_mnist.evaluation.coded_images=10",
    "papers.gray_wyner.studies.synthetic_baselines.etas=[0.1]",
    "papers.gray_wyner.studies.synthetic_ablation.etas=[0.1]",
]
METHODS = ("shared", "separated", "combined", "joint", "independent")


def run_name(method, dataset=SOURCE):
    """The name of a method's run in the recipes."""
    if dataset == DIGITS:
        return f"{method}_mixture_eta=10.0"
    beta = "" if method in ("joint", "independent") else "_beta=1.0"
    return f"{method}{beta}_eta=0.1"
