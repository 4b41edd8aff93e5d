/** Faults of several machines on one PostgreSQL: rows M1 to M10. */
import "./machines-processes.ts";
import "./machines-server.ts";
