"""Other people's programs: where they are, and how they are started."""
