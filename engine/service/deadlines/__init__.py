"""Deadlines of cases: their course, what they hang on, what is stored of them, how people see them."""
