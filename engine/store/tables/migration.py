"""What the migration keeps beside rules and exchanges. One section a matter."""
