/** The texts of `help TOPIC`, about what several commands have in common. */
export const topics: Readonly<Record<string, string>> = {
  time: `Times are accepted by --from, --to and --at.

  now, today, yesterday         today and yesterday begin at midnight
  -30m, -1h, -7d, -1w           before now
  2026-11-01, 2026-11           midnight of the day, or of the first day of the month
  2026-11-01T12:30:00Z          ISO 8601; without an offset it is UTC, or in --timezone

Days are those of UTC or of --timezone, in reports also those of TIMEZONE. --to is excluded.`,
  "exit-codes": `  0         done
  1         failed: something is stale, differs, breaks, or no run is ok
  3         collect: some runs are ok
  64        wrong arguments
  70        a bug of this program
  74        the database is gone or cannot be read or written
  75        another process is collecting into this database
  78        wrong settings, or a refusal to guess
  129       its terminal was closed
  130, 143  stopped by a second signal`,
  formats: `--format of history, reconcile, runs, gaps and sql:

  table     for reading, at most 50 rows; in history the columns that fit, with amounts cut to fit
  record    for reading, a line per column, at most 50 rows
  csv       RFC 4180, all rows and digits
  json      one list
  ndjson    one object per line`,
  env: `Settings are read from the environment and from .env in the working directory; the environment wins. Problems are reported together.
A secret can be read from a file: BITGET_API_SECRET_FILE=/run/secrets/bitget. All settings: docs/reference/settings.md and .env.example.

  BITGET_API_KEY, BITGET_API_SECRET, BITGET_API_PASSPHRASE   the account
  DATABASE_URL      file:./data/collector.db or postgres://…
  TIMEZONE          of days and reports
  NO_COLOR          no colours; CLICOLOR_FORCE=1: colours also without a terminal
  PAGER             shows what is longer than the screen (default: less); empty or --no-pager: nothing`,
};
