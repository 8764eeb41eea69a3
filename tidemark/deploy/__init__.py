"""A CDK app becomes a stack on a target, and goes again."""
