"""The other end of one worker: its owner's side."""
