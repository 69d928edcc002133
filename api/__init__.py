"""How others speak to it: HTTP in, HTTP out, and nothing that another room should decide."""
