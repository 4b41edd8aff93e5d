/** Faults of the exchange: rows E1 to E35. */
import "./exchange-refusals.ts";
import "./exchange-bodies.ts";
import "./exchange-keys.ts";
import "./exchange-clocks.ts";
import "./exchange-wire.ts";
import "./exchange-tls.ts";
import "./exchange-fields.ts";
import "./exchange-size.ts";
import "./exchange-records.ts";
