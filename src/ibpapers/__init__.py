"""From data to paper: four papers on task-oriented communication and the information bottleneck."""

__version__ = "0.1.0"
