// A script as the users of MiroTalk P2P have it: fetch, the key in the header
// authorization, and out comes data.join or data.error. It is given the address
// of the API, the key, the call and its body.
const [url, key, call, body] = process.argv.slice(2);

async function main() {
    const response = await fetch(url + '/' + call, {
        method: 'POST',
        headers: {
            authorization: key,
            'Content-Type': 'application/json',
        },
        body: body || undefined,
    });
    const data = await response.json();
    if (data.error) {
        console.log('Error:', data.error);
    } else {
        console.log(call + ':', data[call]);
    }
}

main();
