"""Reading runs, their entries, and the links of records."""
