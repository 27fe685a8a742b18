"""The build folder: what is written, and how it is opened again."""
