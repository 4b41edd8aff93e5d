// npm run test:stress [-- TIMES]: runs the tests and the long tests while one busy process per core uses all of them. Exits with 1 if they
// fail.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { runSuite } from "./suite.js";

const [times = "1"] = process.argv.slice(2);
if (!/^[1-9]\d?$/.test(times)) {
  console.error(`${times} is not a number from 1 to 99`);
  process.exit(64);
}
// The busy processes end when this process has ended, in whatever way.
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
    `${time}/${times}  ${passed ? "passes" : "FAILS"} with ${busy.length} busy processes: ${lines.join("\n")}`,
  );
}
process.exit(failures > 0 ? 1 : 0);
