"""Where the elements of a tensor lie in a map."""
