from ibpapers.training.train import train

__all__ = ["train"]
