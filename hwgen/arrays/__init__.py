"""What the host sends and gets: codes, files of arrays, beats."""
