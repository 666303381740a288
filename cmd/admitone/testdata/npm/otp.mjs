// A script that signs in as the README says, at the server and with the name and
// password given, and sets up a second factor whose codes the library otpauth makes.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import * as OTPAuth from "otpauth";

const [base, username, password, readme] = process.argv.slice(2);
const handler = readFileSync(readme, "utf8").match(/```js\n(async function admitone[\s\S]*?)```/)[1];
const admitone = new Function("base", `${handler}; return admitone`)(base);
const said = [];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

let app = null;
// The code of a step of its own each time, waiting for none: the server takes one step early and late.
let offset = -1;
const code = () => app.generate({ timestamp: Date.now() + 30_000 * offset++ });
const ask = { username, password, code: () => (said.push("asked for a code"), code()) };

const call = async (path, body) => {
  const r = await admitone(ask, path, { method: "POST", body: JSON.stringify(body) });
  return { status: r.status, ...(r.status === 204 ? {} : await r.json()) };
};
const { otp_request: asked } = await call("/users/me/two-factor/request", { current_password: password });
app = OTPAuth.URI.parse(asked.uri);
said.push(`${app.issuer} ${app.label} ${app.algorithm} ${app.digits} ${app.period} ${app.secret.base32 === asked.secret}`);
// Near the end of a step the earliest code could be late by then.
const left = 30_000 - (Date.now() % 30_000);
if (left < 8_000) await wait(left + 500);
const on = await call("/users/me/two-factor/confirm-request", { request_token: asked.request_token, otp_token: code() });
said.push(`${on.status} ${on.recovery_codes.length}`);
ask.token = undefined; // as a script that begins anew
said.push((await admitone(ask, "/rooms")).status);
said.push(await admitone({ ...ask, token: undefined, password: "not the password" }, "/rooms").catch((e) => e.message));
ask.token = undefined;
said.push(await admitone({ ...ask, code: () => "000000" }, "/rooms").catch((e) => e.message));
said.push((await admitone({ ...ask, code: () => on.recovery_codes[0] }, "/rooms")).status);

// A token that has expired, at a stand-in for an hour later.
const later = createServer((q, r) => {
  const old = q.headers.authorization === "Bearer old";
  r.writeHead(old ? 401 : 200, { "Content-Type": "application/json" });
  r.end(JSON.stringify(old ? { code: "token_expired" } : { access_token: "new" }));
}).listen(0, "127.0.0.1", async () => {
  const again = new Function("base", `${handler}; return admitone`)(`http://127.0.0.1:${later.address().port}`);
  const old = { ...ask, token: "old" };
  said.push((await again(old, "/rooms")).status, old.token);
  later.close();
  later.closeAllConnections();
  process.stdout.write(JSON.stringify(said));
});
