"""Where the domain meets DynamoDB, SNS, HTTP, the clock and the environment."""
