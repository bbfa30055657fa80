// Node's own fetch through a CONNECT tunnel, for versions that know no NODE_USE_ENV_PROXY.
import http from "node:http";
import tls from "node:tls";

const [proxy, ...urls] = process.argv.slice(2);
const at = new URL(proxy);
await fetch("data:,").catch(() => {}); // makes the dispatcher
const Agent = globalThis[Symbol.for("undici.globalDispatcher.1")].constructor;

function connect({ hostname, port, protocol }, done) {
  const path = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  const asked = http.request({ host: at.hostname, port: at.port, method: "CONNECT", path });
  asked.once("connect", (answer, socket) => {
    if (answer.statusCode !== 200) return done(new Error(String(answer.statusCode)), null);
    if (protocol !== "https:") return done(null, socket);
    const secure = tls.connect({ socket, servername: hostname }, () => done(null, secure));
    secure.once("error", (error) => done(error, null));
  });
  asked.once("error", (error) => done(error, null)).end();
}
const dispatcher = new Agent({ connect });
for (const url of urls) {
  const answer = await fetch(url, { dispatcher });
  const content = await answer.arrayBuffer();
  console.log(answer.status, content.byteLength);
}
await dispatcher.close();
