"""Rows that the database itself deletes with what they hang on, as ON DELETE CASCADE would, for migrations. Nothing of
them is told to anybody, so nobody need ask for them one table after the other.

Triggers, because SQLite can't change a foreign key. There Django makes a table anew to change a column: with an owner's
table its triggers are gone, and a table that goes along can't be replaced while a trigger of its owner's names it. A
migration that does so has to take them away before and make them again. What was forgotten keeps its owner from going.
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


def deleted_with(owner: str, table: str, column: str) -> RunPython:
    """The rows of a table go with the row of another one that their column names by its id."""
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
