"""The Loki side: batches, the push encoding, delivery with backoff."""
