"""How a float graph becomes integer layers: the parts of `hwgen.streamlining.streamline`.

`walk` follows the graph and keeps for every tensor a `signal`: a function (`terms`) of an integer map that some layer
yields. Where codes are needed, `tabulate` finds all values that the function takes on the reachable integers
(`domain`), `coding` names them with codes, and `resolve` writes the layers down.
"""
