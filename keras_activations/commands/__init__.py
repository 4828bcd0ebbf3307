"""The commands that look things up, one in each module."""
