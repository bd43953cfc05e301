"""What was found, planned and done, as text and as JSON: values in, text out, no file and no terminal touched."""
