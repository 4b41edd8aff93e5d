import { storeContract } from "./contract.ts";
import { storeAt } from "./kit.ts";
import { temporaryPath } from "./temporary.ts";

storeContract(() => {
  const path = temporaryPath();
  return () => storeAt(path);
});
