"""The database: tables, repositories, transactions and migrations, on SQLite and PostgreSQL alike."""
