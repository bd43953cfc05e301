"""What is not about this subject: files, threads, secrets."""
