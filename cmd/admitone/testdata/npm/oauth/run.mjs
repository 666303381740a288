// What a script here and the test that runs it say to each other: JSON, one value a line.
import { createInterface } from 'node:readline';

// run calls the script with what the test tells it, and with a function that has the test do
// what only a host can do; that function returns what came of it.
export async function run(script) {
    const input = createInterface({ input: process.stdin });
    const lines = input[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value);
    const have = (what) => {
        process.stdout.write(JSON.stringify(what) + '\n');
        return next();
    };
    await script(await next(), have);
    input.close();
}
