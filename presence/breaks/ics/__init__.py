"""Breaks and iCalendar files (RFC 5545): read, and written."""
