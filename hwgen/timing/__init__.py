"""The cycle of every beat, from the schedules of the stages."""
