"""Why a request waits: what is known of each worker that could build it, explained in words, with the earliest instant."""
