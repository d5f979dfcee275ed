"""Figures beside the peers', each made in one run by one command."""
