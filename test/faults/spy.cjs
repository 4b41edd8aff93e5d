// Preloaded into the program: appends every SQL statement to SPY_FILE, one JSON string per line.
const { appendFileSync } = require("node:fs");
const Database = require("better-sqlite3");

for (const method of ["prepare", "exec", "pragma"]) {
  const original = Database.prototype[method];
  Database.prototype[method] = function (sql, ...rest) {
    appendFileSync(process.env.SPY_FILE, `${JSON.stringify(sql)}\n`);
    return original.call(this, sql, ...rest);
  };
}
