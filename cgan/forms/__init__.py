"""What `docs/conditions.md` tells: each form of condition, how it enters both networks, what comes of it."""
