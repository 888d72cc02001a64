"""PoM2-DIB: multi-modal multi-task semantic communication.

Which modalities of which transmitters serve which task is learnt together with the codes.
"""
