/** The settings of the copy in PostgreSQL. */
import { Secret } from "../../core/domain.ts";
import { addressProblem } from "../../store/postgres/address.ts";
import { section } from "../setting.ts";

export const shipping = section({
  title: "PostgreSQL",
  settings: {
    shipTo: {
      name: "SHIP_DATABASE_URL",
      default: null,
      parse(text, report): Secret {
        const problem = addressProblem(text);
        if (problem !== null) report(problem);
        return new Secret(text);
      },
      secret: "always",
      description:
        "A PostgreSQL database to which `start` and `db ship` copy the history, seconds behind: postgres://user:password@host/database, with ?schema=NAME for another schema than bitget. Connections to other machines are encrypted and verified (sslmode=verify-full). A secret.",
    },
  },
});
