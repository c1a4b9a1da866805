"""The library behind the scripts: what the benchmark does, without files, rules or command lines."""
