"""The gateway: the one place that speaks to Salesforce and knows its error codes. Free of Django."""
