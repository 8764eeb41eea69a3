"""The proof, without AWS, that the roles of a stack suffice and grant nothing else."""
