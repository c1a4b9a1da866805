"""The library behind the scripts: everything that is worth a test of its own."""
