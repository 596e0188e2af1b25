"""DMN decision tables for business rule tasks."""
