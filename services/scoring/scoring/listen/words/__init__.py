"""The words of the survey page and of SMS replies: one table per language."""
