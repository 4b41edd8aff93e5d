// npm run test:stress [-- TIMES]: the tests of `npm test` while as many busy processes as there are cores keep all of them
// busy. Exits with 1 if they fail.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { runSuite } from "./suite.js";

const [times = "1"] = process.argv.slice(2);
if (!/^[1-9]\d?$/.test(times)) {
  console.error(`${times} is no number of times from 1 to 99`);
  process.exit(64);
}
// They end with this one, however that ends.
const work = "for (const parent = process.ppid; process.ppid === parent; );";
const busy = Array.from({ length: availableParallelism() }, () =>
  spawn(process.execPath, ["-e", work], { stdio: "ignore" }),
);
process.on("exit", () => {
  for (const one of busy) one.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

let failures = 0;
for (let time = 1; time <= Number(times); time += 1) {
  const { passed, lines } = runSuite();
  if (!passed) failures += 1;
  console.log(
    `${time}/${times}  ${passed ? "passes" : "FAILS"} beside ${busy.length} busy processes: ${lines.join("\n")}`,
  );
}
process.exit(failures > 0 ? 1 : 0);
