"""Reading people, companies, opportunities and lists."""
