"""The keys of a home: opened from its configuration, checked, locked anew."""
