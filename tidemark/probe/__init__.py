"""What a target does not do like AWS: measured on the target, stated beside the documentation."""
