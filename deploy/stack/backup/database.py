"""The database, asked, dumped and filled by its own client in its own container.

The client gives root's password through a pipe, from the secret that is mounted there:
it is in no environment and on no command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deploy.stack.backup import programs


# mysql of MySQL, mariadb of MariaDB: options that only one of them knows are asked for.
CLIENT = r"""
secret=${MYSQL_ROOT_PASSWORD_FILE:-/run/secrets/mysql_root_password}
password=$(sed 's/[\\"]/\\&/g' "$secret")
as_root() {
  program=$1
  shift
  "$program" --defaults-extra-file=/dev/fd/3 --protocol=socket --user=root "$@" 3<<EOF
[client]
password="$password"
EOF
}
first() { command -v "$1" || command -v "$2"; }
client() { as_root "$(first mariadb mysql)" --default-character-set=utf8mb4 "$@"; }
"""

# --hex-blob: what is no text stays what it is. --max-allowed-packet: one row may be
# larger than the client's default.
DUMP = (
    CLIENT
    + r"""
dump=$(first mariadb-dump mysqldump)
gtid=
if "$dump" --help | grep -q set-gtid-purged; then gtid=--set-gtid-purged=OFF; fi
dump() {
  as_root "$dump" $gtid --single-transaction --quick --skip-lock-tables \
    --no-tablespaces --hex-blob --default-character-set=utf8mb4 \
    --max-allowed-packet=1G "$@"
}
"""
)

# After "--" a name may begin with a dash.
TABLES = DUMP + 'database=$1; shift; dump --skip-triggers "$@" -- "$database"'

OBJECTS = (
    DUMP
    + r"""
database=$1 views=$2
shift 2
if [ "$views" = ignored ]; then
  dump --no-data --no-create-info --triggers --routines --events "$@" -- "$database"
else
  dump --no-data --skip-triggers -- "$database" "$@"
fi
"""
)

ASK = CLIENT + "client --batch --skip-column-names"

# A row that came in as text may be twice as large as hexadecimal digits.
LOAD = (
    CLIENT
    + r"""
ask='SELECT @@GLOBAL.max_allowed_packet'
usual=$(client --batch --skip-column-names --execute="$ask")
trap 'client --execute="SET GLOBAL max_allowed_packet = $usual"' EXIT
client --execute='SET GLOBAL max_allowed_packet = 1073741824'
client --binary-mode --max-allowed-packet=1G "$1"
"""
)


@dataclass(frozen=True, slots=True)
class Database:
    """The databases of the server in one *container*."""

    container: str

    def name(self) -> str:
        """Return the name of WordPress' database."""
        script = 'printf %s "${MYSQL_DATABASE:-wordpress}"'
        return programs.ask("the database", self._exec(script))

    def rows(self, sql: str) -> list[list[str]]:
        """Return what *sql* selects; each column has to be `HEX(...)`."""
        answer = programs.ask("the database", self._exec(ASK), sql.encode())
        return [
            [bytes.fromhex(cell).decode() for cell in line.split("\t")]
            for line in answer.splitlines()
        ]

    def names(self, sql: str) -> list[str]:
        """Return the one column that *sql* selects, as `rows` does."""
        return [row[0] for row in self.rows(sql)]

    def run(self, statements: Iterable[str]) -> None:
        """Run *statements*, one after the other, until one fails."""
        sql = "".join(f"{statement};\n" for statement in statements)
        programs.ask("the database", self._exec(ASK), sql.encode())

    def dump_tables(self, name: str) -> Iterator[bytes]:
        """Yield the tables of *name* with their rows, all of one moment."""
        ignored = [f"--ignore-table={name}.{view}" for view in self.views(name)]
        return programs.read("mysqldump", self._exec(TABLES, name, *ignored))

    def dump_objects(self, name: str) -> Iterator[bytes]:
        """Yield triggers, routines, events and views of *name*."""
        views = self.views(name)
        ignored = [f"--ignore-table={name}.{view}" for view in views]
        yield from programs.read(
            "mysqldump", self._exec(OBJECTS, name, "ignored", *ignored)
        )
        if views:
            yield from programs.read(
                "mysqldump", self._exec(OBJECTS, name, "views", *views)
            )

    def views(self, name: str) -> list[str]:
        """Return the names of the views of *name*."""
        return self.names(
            select("TABLE_NAME", "VIEWS", f"TABLE_SCHEMA = {literal(name)}")
        )

    def tables(self, name: str) -> list[str]:
        """Return the names of what in *name* is no view."""
        there = f"TABLE_SCHEMA = {literal(name)} AND TABLE_TYPE <> 'VIEW'"
        return self.names(select("TABLE_NAME", "TABLES", there))

    def load(self, name: str, chunks: Iterable[bytes]) -> None:
        """Run a dump, *chunks*, in the database *name*."""
        programs.feed("loading the dump", self._exec(LOAD, name), chunks)

    def _exec(self, script: str, *arguments: str) -> Sequence[str]:
        shell = ["sh", "-euc", script, "sh", *arguments]
        return ["docker", "exec", "--interactive", self.container, *shell]


def select(column: str, table: str, condition: str) -> str:
    """Return the question for a column of the database's own description."""
    return (
        f"SELECT HEX({column}) FROM information_schema.{table}"  # noqa: S608 -- literals
        f" WHERE {condition} ORDER BY {column}"
    )


def literal(text: str) -> str:
    """Return *text* as a literal of SQL, whatever is in it and whatever sql_mode is."""
    return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)" if text else "''"


def quoted(*names: str) -> str:
    """Return a name of SQL, of its parts."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)
