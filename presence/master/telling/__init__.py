"""Who is told what happens on a master: the one place that makes what somebody has asked for."""
