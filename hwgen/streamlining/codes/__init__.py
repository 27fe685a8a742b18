"""From functions to codes: thresholds, tables, fixed point."""
