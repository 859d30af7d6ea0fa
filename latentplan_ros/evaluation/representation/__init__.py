"""What a representation holds: places read from it, what disturbs it, what it finds alike."""
