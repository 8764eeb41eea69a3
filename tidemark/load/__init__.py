"""What a load run needs that is not Locust: where it goes, its options, how it ends."""
