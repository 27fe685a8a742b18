"""The bit-packed golden model, for speed; `Network.golden` is the plain one."""
