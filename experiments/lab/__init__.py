"""What all studies share: the way in, designs, plans, workers, storage, tables and statistics. It knows no command."""
