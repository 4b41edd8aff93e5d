/** Runs the built program on a terminal of its own. */
import { spawnSync } from "node:child_process";
import { type Finished, launch } from "./program.ts";

/** Runs the command on a terminal of 24 rows and 100 columns; types the first argument as soon as the output contains the second one. */
const driver = `
import fcntl, os, pty, struct, sys, termios
keys, prompt, command = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:]
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
    if keys and prompt in seen:
        os.write(terminal, keys)
        keys = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/** False where there is no Python, which provides the terminal. */
export const hasTerminals = spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"]).status === 0;

/** Runs `bitget-collector ARGS` on a terminal to its end; `stdout` is all that the terminal got. Types `keys` once after `prompt`. */
export const runOnTerminal = (
  args: readonly string[],
  directory: string,
  env: Record<string, string>,
  { keys = "", prompt = "" }: { keys?: string; prompt?: string } = {},
): Promise<Finished> =>
  launch(args, directory, { TERM: "xterm", ...env }, ["python3", "-c", driver, keys, prompt]).finished;
