"""The tests: each one's name is the behaviour, its docstring the claim."""
