"""What tells an operator how the system is: alarms and one dashboard."""
