"""Synthetic exports: an invented shop's canonical rows, written as any layout's file with the quirks of real ones."""
