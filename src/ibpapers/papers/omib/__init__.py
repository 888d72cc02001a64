"""OMIB: optimal multimodal information bottleneck representations.

The weight of the bottleneck is set within a bound that is estimated from the data beforehand.
"""
