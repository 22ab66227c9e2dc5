"""Keys: providers, wrap and unwrap, the key store, the credential store. Imports nothing of ours."""
