"""PostgreSQL without an installation, and the roles of a real one."""
