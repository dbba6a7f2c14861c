"""Pushing: queue → claim → read → decide → intend → write → settle."""
