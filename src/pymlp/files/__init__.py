"""Files that hold networks: what is in them, and what comes out of them."""
