"""The frame of the survey's pages."""
