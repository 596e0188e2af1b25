"""One AST and one bounded evaluator; three front-ends."""
