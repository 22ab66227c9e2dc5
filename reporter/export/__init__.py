"""Bundles under a legal demand: asked for by one person, approved by another, checked by strangers with stock tools."""
