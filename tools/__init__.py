"""Tools of the checkout: installing and measuring."""
