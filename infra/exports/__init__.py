"""Synthetic exports: an invented shop's canonical rows, written as any layout's file with the quirks of real ones.

By hand: `python -m infra.exports taobao_orders_classic 1000000 --folder out --quirks 7`.
"""
