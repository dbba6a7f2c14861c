"""Which user of Salesforce each member is, and who owns what nobody can own."""
