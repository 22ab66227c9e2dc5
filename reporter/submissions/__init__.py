"""Case to package for one authority: readiness, preview, approval, freeze."""
