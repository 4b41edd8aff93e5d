-- The clock that claims and leases go by: the database's own.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT (extract(epoch from clock_timestamp()) * 1000)::bigint
$$;
--> statement-breakpoint
-- Epoch ms as a timestamp in UTC, exact to the millisecond in every year.
CREATE FUNCTION instant(ms bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$
  SELECT date '1970-01-01' + (ms / 86400000)::int + (ms % 86400000) * interval '1 millisecond'
$$;
--> statement-breakpoint
-- Epoch ms as ISO 8601 with milliseconds, as JavaScript writes it: beyond the year 9999 with six digits and a sign.
CREATE FUNCTION instant_text(ms bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN ms >= 253402300800000
    THEN '+' || lpad(extract(year from instant(ms))::text, 6, '0') || to_char(instant(ms), '-MM-DD"T"HH24:MI:SS.MS"Z"')
    ELSE to_char(instant(ms), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END
$$;
