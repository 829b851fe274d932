"""A solution: the folder a team keeps in git, read and checked as one."""
