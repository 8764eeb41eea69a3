"""The infrastructure of Tidemark: one CDK app, one stack, one construct per side."""
