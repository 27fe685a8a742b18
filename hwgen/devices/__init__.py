"""All that is known of a device family or a board."""
