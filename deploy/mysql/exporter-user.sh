#!/bin/bash
# The user of mysqld_exporter, who may look and not touch. The entrypoint of the image runs
# this when the database is made (it is mounted into /docker-entrypoint-initdb.d). For a
# database that exists, or after the password's file has changed:
#
#   docker exec mysql bash /docker-entrypoint-initdb.d/exporter-user.sh
#
# PROCESS shows the InnoDB tables and who is connected, REPLICATION CLIENT the state of
# replication, for which MariaDB has a right of its own; no table of a site can be read.
# A password stands in no command line: it comes from the file and goes by a pipe.

exporter_user_password() {
  cat "${MYSQL_EXPORTER_PASSWORD_FILE:-/run/secrets/mysql_exporter_password}"
}

exporter_user_root() {
  if [ -n "${MYSQL_ROOT_PASSWORD_FILE:-}" ]; then
    cat "$MYSQL_ROOT_PASSWORD_FILE"
  else
    printf '%s' "${MYSQL_ROOT_PASSWORD:-}"
  fi
}

# A text in the quotes that both SQL and an options file take ($2: "'" or '"').
exporter_user_quoted() {
  local text=${1//\\/\\\\}
  printf '%s%s%s' "$2" "${text//$2/\\$2}" "$2"
}

exporter_user_statements() {
  local password
  password=$(exporter_user_quoted "$1" "'")
  cat <<SQL
SET SESSION sql_mode = '';
CREATE USER IF NOT EXISTS 'exporter'@'%' IDENTIFIED BY $password;
ALTER USER 'exporter'@'%' IDENTIFIED BY $password WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, REPLICATION CLIENT /*M!100509 , SLAVE MONITOR */ ON *.* TO 'exporter'@'%';
GRANT SELECT ON performance_schema.* TO 'exporter'@'%';
SQL
}

# Read by the entrypoint's own shell, as a file that is not executable is: no exit, no set.
exporter_user() {
  local password root
  if ! password=$(exporter_user_password) || [ -z "$password" ]; then
    echo >&2 "exporter-user: no password in ${MYSQL_EXPORTER_PASSWORD_FILE:-/run/secrets/mysql_exporter_password}"
    return 1
  fi
  root=$(exporter_user_quoted "$(exporter_user_root)" '"')
  exporter_user_statements "$password" |
    mysql --defaults-extra-file=<(printf '[client]\npassword=%s\n' "$root") \
      --protocol=socket --user=root --database=mysql
}

exporter_user
