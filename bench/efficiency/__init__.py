"""Sample efficiency: tasks x methods x seeds, and what each made of its real steps."""
