"""Commands and queries; the one door for cli, web and adapters' commands."""
