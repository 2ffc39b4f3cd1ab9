"""What a site measures: conditions that the master asks, as long as which a worker accepts builds."""
