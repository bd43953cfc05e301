"""Small inputs that failed once: one checking function for each, named after its folder."""
