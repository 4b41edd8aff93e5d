/** Faults of storage: rows S1 to S23. */
import "./storage-full.ts";
import "./storage-calls.ts";
import "./storage-locks.ts";
import "./storage-readers.ts";
import "./storage-files.ts";
import "./storage-schema.ts";
import "./storage-copies.ts";
import "./storage-postgres.ts";
