"""A home rebuilt from a recovery kit and copies of its stores."""
