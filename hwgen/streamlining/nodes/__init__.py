"""What each node of the graph becomes."""
