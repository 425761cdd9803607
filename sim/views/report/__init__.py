"""A comparison as one page: read, put into tables, charts and sentences, and rendered."""
