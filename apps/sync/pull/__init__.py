"""The one road in: plan → fetch → stage → match → decide → apply → react."""
