"""A Salesforce stand-in for the demo and the tests. It shares no code with the product."""
