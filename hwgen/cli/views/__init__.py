"""What the command line shows people: facts laid out as tables and sentences."""
