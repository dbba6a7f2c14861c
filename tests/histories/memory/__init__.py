"""Level 1: both systems in memory. Every decision is made by the product's own rules in ``apps.domain``; what is here
is only the shell around them, as ``apps.sync`` is around them in earnest."""
