"""What customers answer: replies and forms are read, one door accepts them, pages ask and thank."""
