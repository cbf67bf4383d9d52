"""The pages that the code writes."""
