"""CrossHair over every contract of the kernel.

``conditions`` lists them from the syntax trees, ``worker`` runs CrossHair on one function in a
process of its own, ``report`` says of each condition what that means, ``item`` is the item.
"""
