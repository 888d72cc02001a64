"""Gray-Wyner: lossy common information in a learnable Gray-Wyner network.

Two tasks on one source: what both need goes over a common channel, the rest over private ones.
"""
