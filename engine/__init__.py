"""The engine: procedures, cases, exchanges, deadlines. It knows no channel's technique."""
