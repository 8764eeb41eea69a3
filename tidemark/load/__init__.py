"""What a load run needs that is not Locust: its summary, its projection lag, its report."""
