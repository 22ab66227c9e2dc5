"""What others tell us of: referrals of many items, each ending in a decision that can be looked up."""
