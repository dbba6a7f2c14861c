"""The routes: OAuth, data, Bulk, composite, pages for people, and control."""
