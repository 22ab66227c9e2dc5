"""NCMEC: reports to the CyberTipline of the National Center for Missing & Exploited Children (United States)."""
