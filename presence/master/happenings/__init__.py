"""What happens on a master: orders, holds that begin and end, drains that are done, reconfigurations."""
