"""The words that breaks are made of: times of day, weekdays, rules, zones and the wall clock. Pure."""
