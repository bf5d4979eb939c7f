"""Run the SQL statement of standard input in the database given and print its rows; used by the launcher."""

import sys

import psycopg2

connection = psycopg2.connect(dbname=sys.argv[1])
connection.autocommit = True
cursor = connection.cursor()
cursor.execute(sys.stdin.read())
if cursor.description:
    for row in cursor.fetchall():
        print("\t".join("" if value is None else str(value) for value in row))
