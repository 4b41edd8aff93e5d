/** Runs the built program on a terminal of its own. */
import { spawnSync } from "node:child_process";
import { type Finished, launch } from "./program.ts";

/** Runs the command on a terminal of 24 rows and 100 columns; types each answer of the first argument when its prompt is shown. */
const driver = `
import fcntl, json, os, pty, struct, sys, termios
typed, command = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    os.execvp(command[0], command)
seen = b""
while True:
    try: chunk = os.read(terminal, 65536)
    except OSError: break
    if not chunk: break
    os.write(1, chunk)
    seen += chunk
    if typed and typed[0][0].encode() in seen:
        os.write(terminal, typed.pop(0)[1].encode())
        seen = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/** False where there is no Python, which provides the terminal. */
export const hasTerminals = spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"]).status === 0;

/** What is typed, each after its prompt: `[prompt, keys]`. */
export type Typed = readonly (readonly [prompt: string, keys: string])[];

/** Runs `bitget-collector ARGS` on a terminal to its end; `stdout` is all that the terminal got. */
export const runOnTerminal = (
  args: readonly string[],
  directory: string,
  env: Record<string, string>,
  typed: Typed = [],
): Promise<Finished> =>
  launch(args, directory, { TERM: "xterm", ...env }, ["python3", "-c", driver, JSON.stringify(typed)]).finished;
