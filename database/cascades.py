"""For migrations: rows that the database itself deletes with the row that they point to, as ON DELETE CASCADE would.
Only for what the audit trail does not mention, so that nobody has to read it first.

These are triggers, because SQLite can't alter a foreign key. To alter a column Django replaces the whole table there:
the owner's loses its triggers, and the other one can't be replaced while a trigger names it. A migration that alters
either has to drop the triggers before and create them again. Where one was forgotten, the foreign key refuses to delete
the owner.
"""

from typing import Any

from django.db.migrations import RunPython

_SQLITE = """
CREATE TRIGGER {name} AFTER DELETE ON {owner} FOR EACH ROW
BEGIN DELETE FROM {table} WHERE {column} = OLD.id; END
"""
_POSTGRESQL = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM {table} WHERE {column} = OLD.id; RETURN NULL; END $$;
CREATE TRIGGER {name} AFTER DELETE ON {owner} FOR EACH ROW EXECUTE FUNCTION {name}();
"""


def cascade_delete(owner: str, table: str, column: str) -> RunPython:
    """An operation of a migration: a row of `owner` takes along those rows of `table` whose `column` holds its id."""
    words = {"name": f"{table}_goes_along", "owner": owner, "table": table, "column": column}

    def make(apps: Any, editor: Any) -> None:
        statement = _SQLITE if editor.connection.vendor == "sqlite" else _POSTGRESQL
        editor.execute(statement.format(**words))

    def remove(apps: Any, editor: Any) -> None:
        if editor.connection.vendor == "sqlite":
            editor.execute("DROP TRIGGER {name}".format(**words))
        else:
            editor.execute("DROP FUNCTION {name} CASCADE".format(**words))

    return RunPython(make, remove)
