"""TOC: a two-stage information bottleneck for several modalities over a noisy channel.

Redundancy between the modalities' codes is driven out by discriminators behind a gradient
reversal; what is left is transmitted, 50 real values an utterance.
"""
