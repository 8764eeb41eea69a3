"""Workloads: what is commanded and asked, one module per system under test."""
