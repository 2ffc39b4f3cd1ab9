"""What breaks do on this master beside the hold: doors for builds, deadlines, and calendars that are read again."""
