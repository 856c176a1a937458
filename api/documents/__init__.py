"""Documents: PDFs as they were uploaded."""
