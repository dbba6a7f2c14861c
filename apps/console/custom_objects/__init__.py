"""Adding custom objects of Salesforce."""
