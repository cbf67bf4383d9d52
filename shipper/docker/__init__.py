"""The Docker side: discovery, log frames, and one tailer per container."""
