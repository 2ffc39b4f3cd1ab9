"""The other end of one worker: what its owner's side is told, and what it says."""
