"""What an admin writes about breaks, read: each mistake with what would be right. Pure."""
