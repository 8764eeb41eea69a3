"""What runs in Lambda: a pure domain, adapters to AWS, and four handlers."""
